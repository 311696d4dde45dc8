import { hybridKeys } from '../../src/aggregation/index.ts';
import { standInKeys } from '../simulation/stand-in-keys.ts';
import { keyAgreementCompliance } from './key-agreement.ts';

keyAgreementCompliance('X25519 and ML-KEM-768', hybridKeys);
keyAgreementCompliance('the stand-in of the simulation', standInKeys);

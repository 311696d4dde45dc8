/** Serves the embedded ledger in a process of its own, to be killed: arguments are folder and port. */
import { silentLogger } from '../../../src/common/index.ts';
import { serveLedger } from '../../../src/ledger/index.ts';
import { realClock } from '../../support/clock.ts';

const [folder = '', port = '0', token = ''] = process.argv.slice(2);
const served = await serveLedger(
  { folder, host: '127.0.0.1', port: Number(port), chainId: 4_711, tokens: [{ name: 'test', token }] },
  { clock: realClock, logger: silentLogger },
);
process.stdout.write(`${served.url} ${await served.enginePid()}\n`);
const error = await served.ended;
await served[Symbol.asyncDispose]();
process.stdout.write(`${error?.code}\n`);
process.exit(1);

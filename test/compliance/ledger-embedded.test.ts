/** The ledger suite on the embedded engine behind its gateway. */
import { freshAccountKey } from '../../src/ledger/index.ts';
import { Consortium } from '../support/ledger.ts';
import { ledgerCompliance } from './ledger.ts';

ledgerCompliance('the embedded engine', async () => {
  const consortium = await Consortium.create({ members: 4 });
  const [a, b, c, d] = [0, 1, 2, 3].map((member) => consortium.ledgerOf(consortium.key(member)));
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('four members');
  const outsider = await consortium.ledgerOf(freshAccountKey());
  return { members: [await a, await b, await c, await d], outsider, [Symbol.asyncDispose]: () => consortium[Symbol.asyncDispose]() };
});

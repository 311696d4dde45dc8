/** The ledger read afresh from its first block, by RPC and without a peer: what a launcher or an auditor compares with. */
import { type Clock, type Digest, silentLogger } from '../common/index.ts';
import { connectLedger, freshAccountKey, probeLedger } from '../ledger/index.ts';
import { readConsortium } from './config.ts';
import { ledgerEndpoint } from './home.ts';

/** What the chain says of a run. */
export interface ChainSummary {
  readonly engine: string;
  readonly chainId: number;
  readonly contract: string;
  /** Transactions that caused at least one fact. */
  readonly transactions: number;
  readonly finalModel: Digest | undefined;
  /** Ledger seconds of each FINAL, in order. */
  readonly finals: readonly { readonly round: number; readonly state: Digest; readonly model: Digest }[];
}

/** Reads all facts with the ledger access of `home`. */
export async function readChain(
  home: string,
  run: number,
  { clock }: { readonly clock: Clock },
  { signal }: { readonly signal: AbortSignal },
): Promise<ChainSummary> {
  const consortium = readConsortium(home);
  const { chainId, contract } = consortium;
  const endpoint = ledgerEndpoint(home, consortium);
  const { engine, block } = await probeLedger(endpoint, { clock }, { signal });
  await using ledger = await connectLedger({ ...endpoint, chainId, contract, key: freshAccountKey() }, { clock, logger: silentLogger }, { signal });
  const transactions = new Set<string>();
  const finals: ChainSummary['finals'][number][] = [];
  for await (const batch of ledger.batches(undefined, { signal })) {
    for (const event of batch.events) {
      transactions.add(event.transaction);
      if (event.scope === 'round' && event.run === run && event.fact.kind === 'final')
        finals.push({ round: event.round, state: event.fact.state, model: event.fact.model });
    }
    if (batch.cursor.block >= block) break;
  }
  return { engine, chainId, contract, transactions: transactions.size, finalModel: finals.at(-1)?.model, finals };
}

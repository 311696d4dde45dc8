/**
 * ledger: who is a member, which study is approved, what each round produced, in an order that all members share.
 *
 * Owns the port `ledger.ts`, its adapter for any EVM JSON-RPC node (`evm/`), the founding of a consortium (`deploy.ts`), account keys
 * (`account-key.ts`) and the embedded ledger (`embedded/`: engine, gateway, store). The rules themselves are in `contracts/`.
 * Does not own: what a round means (`round`), peer keys and addresses (`network`), whom an operator trusts (`peer`).
 * Main path: `connectLedger` → `batches` (facts in order) and `submit` (one transaction, until it is in a block).
 */
export { type AccountKey, createAccountKey, freshAccountKey, loadAccountKey, signAccountMessage, verifyAccountSignature } from './account-key.ts';
export { type DeployOptions, deployConsortium, type Founder } from './deploy.ts';
export type { GatewayTls } from './embedded/gateway.ts';
export { type ServedLedger, type ServeOptions, serveLedger } from './embedded/serve.ts';
export { freshToken, type LedgerToken } from './embedded/tokens.ts';
export { type ConnectOptions, type ConnectParts, connectLedger, type LedgerStatus, probeLedger } from './evm/connect.ts';
export type { RpcEndpoint } from './evm/rpc.ts';
export type {
  ConsortiumFact,
  Ledger,
  LedgerBatch,
  LedgerCursor,
  LedgerEvent,
  LedgerMode,
  LedgerTransaction,
  Member,
  ProposalAction,
  Receipt,
} from './ledger.ts';

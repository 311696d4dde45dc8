/** Bounds of the ledger room, each with its reason. */

/** One JSON-RPC answer: 5,000 blocks of logs fit several times. */
export const maxAnswerBytes = 67_108_864;
/** One JSON-RPC request to the gateway: a contract creation is 60 KB, everything else below 10 KB. */
export const maxRequestBytes = 262_144;
/** A node that is silent for this long counts as unreachable. */
export const rpcTimeoutMs = 15_000;
/** Blocks in one `eth_getLogs`: Besu's own bound (`--rpc-max-logs-range`). */
export const maxLogBlocks = 5_000;
/** Gas limit of every transaction: above any call at 128 members, below the 16.7 million that Osaka allows. */
export const gasLimit = 12_000_000;
/** Sends of one transaction after the nonce was taken by another sender of the same account. */
export const maxNonceRetries = 3;
/** Transactions of one account that wait for their turn. */
export const maxQueuedTransactions = 64;
/** A transaction that is in no block after this long counts as lost: many block periods of any engine. */
export const receiptTimeoutMs = 60_000;
/** How often a client asks for the head of a chain whose node does not say it by itself, unless told otherwise; block period / 4 as a rule. */
export const defaultPollMs = 50;
/** Pause before the next try while the node is away: doubles from the first to the second. */
export const reconnectMs = { first: 100, longest: 5_000 } as const;
/** Longest that the gateway holds back its answer to who waits for a new block. */
export const longestWaitMs = 1_000;
/** Requests that the gateway works on at once, those of waiting members included; more get HTTP 503. */
export const maxGatewayRequests = 512;
/** Open connections to the gateway. */
export const maxGatewayConnections = 512;
/** Blocks between snapshots of the embedded chain: a replay of so many takes a few seconds. */
export const snapshotBlocks = 2_000;
/** Starts of the engine in a row before the embedded ledger gives up. */
export const maxEngineStarts = 5;
/** The engine answers within this time after its start, also on a busy machine. */
export const engineStartTimeoutMs = 60_000;
/** While a run is live an empty block follows after this long without one, so that deadlines pass. */
export const emptyBlockMs = 1_000;
/** While a run is live ledger time never jumps by more than this, so that a stop does not let all deadlines pass at once. */
export const maxTimeStepMs = 2_000;

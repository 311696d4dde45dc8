/** Bounds of the network room. */

/** Control messages that may wait for one peer; more are dropped, for the round asks again. */
export const maxQueuedMessages = 512;
/** Largest content in bytes: its list of leaf hashes has 1 MiB, the largest thing that is held before it is checked. */
export const maxContentSizeBytes = 2 * 1024 ** 3;
/** Chunks of 64 KiB that a fetch asks one holder for ahead: how many depends on how fast they come. The most has to stay below `maxOpenRequests`. */
export const chunksAhead = { fewest: 4, most: 48 } as const;
/** Milliseconds from request to chunk: a faster holder is asked for more ahead, one four times slower for less, so that control messages stay quick. */
export const chunkWaitMs = 250;
/** Holders that one fetch uses at a time; it begins with one and takes another each `widenMs`. */
export const maxHoldersAtOnce = 4;
export const widenMs = 1_000;
/** Fetches that use one holder at a time; more wait. With their lists and chunks ahead they stay below 16 MiB a holder. */
export const maxFetchesPerHolder = 4;
/** Milliseconds after which a chunk that one holder owes may be asked of another, where nothing else is left to ask. */
export const lateMs = 2_000;
/** The slowest a holder may be, measured over `stallMs` in which it owed something: it is left for the next below that. */
export const slowestBytesPerS = 8 * 1024;
export const stallMs = 15_000;
/** Chunks of an interrupted fetch that are looked at before others get a turn. */
export const chunksPerTurn = 64;
/** Requests that one content stream may have open at its holder. */
export const maxOpenRequests = 64;
/** Bytes that may wait to be written on a stream before the holder pauses. */
export const maxWriteBufferBytes = 1024 * 1024;
/** Milliseconds for a hello after the connection opened. */
export const helloMs = 10_000;
/** Milliseconds for one dial, look-up in the DHT included. */
export const dialMs = 3_000;
/** Milliseconds before the next ping of a connection over which nothing came, and for its answer: a peer that is busy for so long is still there. */
export const livenessMs = { pause: 3_000, answer: 8_000 } as const;
/** Pings in a row without an answer, or anything else, after which a connection counts as lost and is made anew. */
export const maxUnanswered = 2;
/** Milliseconds between two looks for members that are not connected, and between two tries for one of them: short at first, then long. */
export const searchMs = { look: 100, first: 200, longest: 3_000 } as const;
/** Streams that one connection may open to this peer, by protocol. */
export const maxStreams = { hello: 2, control: 4, content: 16 } as const;
/**
 * What one member can make this peer hold unchecked, at most 15 MiB: on each of `maxConnectionsPerPeer` connections one frame of
 * `maxYamuxFrameBytes` and `maxSmallStreamBytes` for each inbound stream, as much again on the streams that this peer opened, and a list of
 * 1 MiB for each of `maxFetchesPerHolder`.
 */
export const maxConnectionsPerPeer = 2;
export const maxYamuxFrameBytes = 2.5 * 1024 * 1024;
export const maxInboundStreams = 64;
/** Bytes that a stream may bring in its life, unless it is a control or content stream: hello, identify, ping and DHT need less. */
export const maxSmallStreamBytes = 32 * 1024;
/** Bytes that are kept of a stream that nobody reads, before it is reset. */
export const maxStreamReadBytes = 512 * 1024;
/** The largest window that a stream is given: what a holder may send ahead of the receiver. */
export const streamWindowBytes = 4 * 1024 * 1024;
/** Connections, and connections that are still in their handshake. */
export const maxConnections = { all: 256, pending: 100, inboundPerSecond: 200 } as const;
/** Days that an address is remembered, so that a peer finds back after a long week-end. */
export const addressAgeMs = 30 * 24 * 3_600_000;

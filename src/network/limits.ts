/** Bounds of the network room. */

/** Control messages that may wait for one peer; more are dropped, for the round asks again. */
export const maxQueuedMessages = 512;
/** Chunks of 64 KiB that one fetch asks for ahead: 1 MiB in flight keeps control messages quick. */
export const chunksAhead = 16;
/** Requests that one content stream may have open at its holder. */
export const maxOpenRequests = 64;
/** Bytes that may wait to be written on a stream before the holder pauses. */
export const maxWriteBufferBytes = 2 * 1024 * 1024;
/** Milliseconds without a chunk after which a fetch goes to the next holder. */
export const stallMs = 15_000;
/** Milliseconds for a hello after the connection opened. */
export const helloMs = 10_000;
/** Milliseconds for one dial, look-up in the DHT included. */
export const dialMs = 3_000;
/** Milliseconds between two looks for members that are not connected, and between two tries for one of them: short at first, then long. */
export const searchMs = { look: 100, first: 200, longest: 3_000 } as const;
/** Streams that one connection may open to this peer, by protocol. */
export const maxStreams = { hello: 2, control: 4, content: 16 } as const;
/** Connections, and connections that are still in their handshake. */
export const maxConnections = { all: 256, pending: 100, inboundPerSecond: 200 } as const;
/** Days that an address is remembered, so that a peer finds back after a long week-end. */
export const addressAgeMs = 30 * 24 * 3_600_000;

import { defineErrors } from '../common/index.ts';

export const wireErrors = defineErrors({
  WIRE_TOO_LARGE: {
    blame: 'remote',
    cause: (d: { what: string; sizeBytes: number; limitBytes: number }) => `a ${d.what} of ${d.sizeBytes} bytes; at most ${d.limitBytes} are allowed`,
    remedy: 'Nothing to do here: the message was dropped unread. Its sender runs another version or a faulty one.',
  },
  WIRE_BAD_MESSAGE: {
    blame: 'remote',
    cause: (d: { what: string; reason: string }) => `an unreadable ${d.what}: ${d.reason}`,
    remedy: 'Nothing to do here: the message was dropped. Its sender runs another version or a faulty one.',
  },
  WIRE_VERSION: {
    blame: 'remote',
    cause: (d: { version: number; ours: readonly number[] }) => `a message in protocol version ${d.version}; this peer speaks ${d.ours.join(', ')}`,
    remedy: 'Nothing to do here: the message was dropped. Upgrade the peer that does not speak the version of the run.',
  },
});

import { defineErrors } from '../common/index.ts';

export const networkErrors = defineErrors({
  NETWORK_ADDRESS_IN_USE: {
    blame: 'operator',
    cause: (d: { addresses: readonly string[] }) =>
      `cannot listen on ${d.addresses.join(', ')}: another process uses the port, or the address is not one of this machine`,
    remedy: 'Stop the other process, or change `listen` under [network] in config.toml.',
  },
  NETWORK_BAD_ADDRESS: {
    blame: 'operator',
    cause: (d: { address: string; reason: string }) => `"${d.address}" cannot be used: ${d.reason}`,
    remedy: 'Write addresses as /dns4/peer.example.org/tcp/4001/p2p/12D3KooW…, as `schwarm status` prints them.',
  },
  NETWORK_NOT_FETCHED: {
    blame: 'remote',
    cause: (d: { root: string; holders: number; reasons: readonly string[] }) =>
      `none of ${d.holders} members gave ${d.root.slice(0, 8)}…: ${d.reasons.join('; ') || 'nobody is connected'}`,
    remedy: 'Nothing to do: it is fetched again as long as it is wanted.',
  },
  NETWORK_CONTENT_TOO_LARGE: {
    blame: 'remote',
    cause: (d: { root: string; sizeBytes: number }) => `${d.root.slice(0, 8)}… is said to have ${d.sizeBytes} bytes, more than any content may have`,
    remedy: 'Nothing to do: it is not fetched. Ask whoever announced it.',
  },
  NETWORK_BAD_CHUNK: {
    blame: 'remote',
    cause: (d: { peer: string; index: number }) => `${d.peer} sent a wrong chunk ${d.index}`,
    remedy: 'Nothing to do: the chunk is fetched from another member. Tell the operator of the sender when it happens again.',
  },
  NETWORK_STREAM_FAILED: {
    blame: 'remote',
    cause: (d: { peer: string; reason: string }) => `the stream with ${d.peer} ended: ${d.reason}`,
    remedy: 'Nothing to do: it is tried again.',
  },
  NETWORK_NO_COMMON_VERSION: {
    blame: 'remote',
    cause: (d: { peer: string; theirs: readonly number[]; ours: readonly number[] }) =>
      `${d.peer} speaks protocol version ${d.theirs.join(', ')}, this peer ${d.ours.join(', ')}: none in common`,
    remedy: 'Upgrade the peer whose highest version is the lower one. Until then the two exchange nothing.',
  },
  NETWORK_BAD_HELLO: {
    blame: 'remote',
    cause: (d: { peer: string; reason: string }) => `the hello of ${d.peer} was refused: ${d.reason}`,
    remedy: 'Both peers must be members of the same consortium; compare consortium.json on both sides.',
  },
});

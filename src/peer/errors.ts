import { defineErrors } from '../common/index.ts';

export const peerErrors = defineErrors({
  PEER_NO_HOME: {
    blame: 'operator',
    cause: (d: { folder: string }) => `there is no peer in ${d.folder}`,
    remedy: 'Make one with `schwarm init`, or name its folder with --home.',
  },
  PEER_HOME_EXISTS: {
    blame: 'operator',
    cause: (d: { folder: string }) => `${d.folder} already holds a peer`,
    remedy: 'Use another folder with --home. Keys are never overwritten.',
  },
  PEER_HOME_IN_USE: {
    blame: 'operator',
    cause: (d: { folder: string }) => `another process uses ${d.folder}`,
    remedy: 'One folder belongs to one running peer: stop the other process, or use another folder with --home.',
  },
  PEER_BAD_CONFIG: {
    blame: 'operator',
    cause: (d: { file: string; problems: readonly string[] }) => `${d.file} does not fit:\n${d.problems.map((problem) => `  ${problem}`).join('\n')}`,
    remedy: 'Correct the lines named above; `schwarm doctor` checks the file again.',
  },
  PEER_BAD_ENROLMENT: {
    blame: 'operator',
    cause: (d: { file: string; reason: string }) => `${d.file} is not a valid enrolment: ${d.reason}`,
    remedy: 'Ask the institution to send the enrolment.json of its peer again, unchanged.',
  },
  PEER_PORT_IN_USE: {
    blame: 'operator',
    cause: (d: { host: string; port: number }) => `another process listens on ${d.host}:${d.port}`,
    remedy: 'Stop it (a running peer uses its own ports), or change the port in config.toml.',
  },
  PEER_NO_CONSORTIUM: {
    blame: 'operator',
    cause: (d: { file: string }) => `this peer does not know its consortium yet: ${d.file} is missing`,
    remedy: "Copy the consortium.json that `schwarm ledger deploy` wrote into the peer's folder.",
  },
  PEER_DISK_FULL: {
    blame: 'operator',
    cause: (d: { folder: string; what: string }) => `no room left in ${d.folder} to store ${d.what}`,
    remedy: 'Make room on the disk and start the peer again: nothing that was confirmed is lost.',
  },
  PEER_STORE_FAILED: {
    blame: 'operator',
    cause: (d: { folder: string; what: string }) => `could not store ${d.what} in ${d.folder}`,
    remedy: 'Check the disk and the permissions of the folder, then start the peer again.',
  },
  PEER_NOT_A_MEMBER: {
    blame: 'operator',
    cause: (d: { account: string }) => `the account ${d.account} is not an active member of the consortium`,
    remedy: 'Send enrolment.json to a member: it proposes you with `schwarm member propose`, and enough members vote.',
  },
  PEER_UNKNOWN: {
    blame: 'operator',
    cause: (d: { what: string; name: string; known: readonly string[] }) => `there is no ${d.what} "${d.name}"; known: ${d.known.join(', ') || 'none'}`,
    remedy: 'Use one of the known names, or their first digits.',
  },
  PEER_NAME_TAKEN: {
    blame: 'operator',
    cause: (d: { what: string; name: string }) => `there is already a ${d.what} "${d.name}" with other content`,
    remedy: 'Use another name.',
  },
  PEER_TOO_FEW_APPROVALS: {
    blame: 'operator',
    cause: (d: { approvals: number; needed: number; names: readonly string[] }) =>
      `${d.approvals} of at least ${d.needed} members approved this study: ${d.names.join(', ') || 'none'}`,
    remedy: 'Ask the stewards of the others to look at it with `schwarm study show` and to approve it.',
  },
  PEER_SET_TOO_CLOSE: {
    blame: 'operator',
    cause: (d: { missing: readonly string[]; added: readonly string[] }) =>
      `the shared statistics of this study were opened before over a list that differs by fewer than three members (missing now: ${d.missing.join(', ') || 'nobody'}; new: ${d.added.join(', ') || 'nobody'}): the values of those could be worked out by subtraction`,
    remedy: 'Start it with the same members as before, with at least three others, or after the members have new data.',
  },
  PEER_STUDY_NOT_HERE: {
    blame: 'remote',
    cause: (d: { study: string }) => `no connected member could give the package of study ${d.study}`,
    remedy: 'Wait until the member that published it is connected, then try again.',
  },
  PEER_DIVERGED: {
    blame: 'self',
    cause: (d: { run: number; round: number }) => `in round ${d.round} of run ${d.run} this peer computed another state than the one that was voted`,
    remedy: 'This peer takes no further part in the run. Keep its folder and report it: this is a defect or a damaged machine.',
  },
  PEER_RUN_ENDED: {
    blame: 'operator',
    cause: (d: { run: number; outcome: string }) => `run ${d.run} has ended: ${d.outcome}`,
    remedy: 'Start another run with `schwarm run start`.',
  },
  PEER_RUN_NOT_DONE: {
    blame: 'operator',
    cause: (d: { run: number }) => `run ${d.run} has no result yet`,
    remedy: 'Wait for it with `schwarm run watch`.',
  },
});

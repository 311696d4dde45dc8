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
  PEER_COUNTS_TOO_CLOSE: {
    blame: 'operator',
    cause: (d: { cells: number; study: string; title: string; fewest: number }) =>
      `${d.cells} ${d.cells === 1 ? 'cell' : 'cells'} of this study differ in fewer than ${d.fewest} persons from what this member approved for "${d.title}" (${d.study.slice(0, 12)}) on the same data: both results together would tell of those few`,
    remedy: 'Decline it. Its author can ask for the same cells as before, for other persons altogether, or wait until the member has bound new data.',
  },
  PEER_DISK_FULL: {
    blame: 'operator',
    cause: (d: { folder: string; what: string }) => `no room left in ${d.folder} to store ${d.what}`,
    remedy: 'Make room on the disk and start the peer again: nothing that was confirmed is lost.',
  },
  PEER_OPEN_STUDY: {
    blame: 'operator',
    cause: (d: { study: string }) => `study ${d.study.slice(0, 12)} runs in open mode: every other member of a run would see this site's own updates`,
    remedy: 'Where that is agreed to, approve it with --open (in the API: "open": true). Otherwise decline it.',
  },
  PEER_CONTENT_DAMAGED: {
    blame: 'operator',
    cause: (d: { root: string }) => `stored content ${d.root} was damaged or removed while it was read`,
    remedy: 'Check the disk. The peer tries again, and fetches the content anew after a restart.',
  },
  PEER_STORE_FAILED: {
    blame: 'operator',
    cause: (d: { folder: string; what: string }) => `could not store or read ${d.what} in ${d.folder}`,
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
  PEER_NOT_TRAINED: {
    blame: 'operator',
    cause: (d: { run: number }) => `run ${d.run} counted and trained no model`,
    remedy: 'Look at what it counted with `schwarm run tables`.',
  },
  PEER_NOT_COUNTED: {
    blame: 'operator',
    cause: (d: { run: number }) => `run ${d.run} trained a model and counted nothing`,
    remedy: 'Look at its figures with `schwarm run report`, or take its model with `schwarm model export`.',
  },
  PEER_NO_COMMON_VERSION: {
    blame: 'operator',
    cause: (d: { needed: number; versions: readonly string[] }) =>
      `no protocol version that this study needs (${d.needed} or later) is spoken by all members of the run: ${d.versions.join('; ')}`,
    remedy: 'Upgrade the members with the lowest versions, and see that all are connected.',
  },
  PEER_GROUPS_DO_NOT_FIT: {
    blame: 'operator',
    cause: (d: { unnamed: readonly string[]; shared: readonly string[] }) =>
      `the groups that the study names do not fit the members that approved it: ${[
        ...(d.unnamed.length > 0 ? [`in no group: ${d.unnamed.join(', ')}`] : []),
        ...(d.shared.length > 0 ? [`names that several members have: ${d.shared.join(', ')}`] : []),
      ].join('; ')}`,
    remedy:
      'Publish the study anew with each of them in one group, by the name that `member list` shows and no other member has; or have those without a group decline it.',
  },
  PEER_TOO_FEW_APPROVALS: {
    blame: 'operator',
    cause: (d: { approvals: number; needed: number; names: readonly string[] }) =>
      `${d.approvals} of at least ${d.needed} members approved this study: ${d.names.join(', ') || 'none'}`,
    remedy: 'Ask the stewards of the others to look at it with `schwarm study show` and to approve it.',
  },
  PEER_APPROVALS_DIFFER: {
    blame: 'operator',
    cause: (d: { names: readonly string[] }) => `on the ledger other members approve this study than this peer has seen (${d.names.join(', ') || 'none'})`,
    remedy: 'Wait a moment: a decision is on its way. Once `schwarm study show` names everybody, start the run again.',
  },
  PEER_NO_PERSON: {
    blame: 'operator',
    cause: (d: { name: string }) => `an approval here needs two named people, and "${d.name}" is none that this peer knows, or the secret is another`,
    remedy: 'Make a person with `schwarm person add NAME --file FILE`, and approve with --as FILE.',
  },
  PEER_SAME_PERSON: {
    blame: 'operator',
    cause: (d: { name: string }) => `${d.name} has said yes already; the second yes must be another person's`,
    remedy: 'Let a second person of your institution look at the study and approve it with --as and a file of their own.',
  },
  PEER_TOO_FEW_ROWS: {
    blame: 'operator',
    cause: (d: { rows: number; needed: number }) =>
      `the study would train on ${d.rows} rows here; fewer than ${d.needed} are never used, for what is learnt would be about them`,
    remedy: 'Bind more rows, or decline the study.',
  },
  PEER_LOG_CHANGED: {
    blame: 'operator',
    cause: (d: { file: string; line: number }) => `line ${d.line} of ${d.file} does not follow the line before: the log was changed`,
    remedy: 'Compare it with a backup, and find out who had access to the folder.',
  },
  PEER_SET_TOO_CLOSE: {
    blame: 'operator',
    cause: (d: { missing: readonly string[]; added: readonly string[] }) =>
      `the first sum of this study was opened before, from the same rows, over a list that is nearly the same (missing now: ${d.missing.join(', ') || 'nobody'}; new: ${d.added.join(', ') || 'nobody'}): the values of those could be worked out by subtraction`,
    remedy:
      'Start it with the same members as before, with enough others that the lists differ by three or by minMembers of the study, or after the members have new data.',
  },
  PEER_STUDY_NOT_HERE: {
    blame: 'remote',
    cause: (d: { study: string }) => `no connected member could give the package of study ${d.study}`,
    remedy: 'Wait until the member that published it is connected, then try again.',
  },
  PEER_NO_AUDIT_KEY: {
    blame: 'operator',
    cause: (d: { study: string }) => `study ${d.study} has an audit window, and this peer has no key to seal its records to`,
    remedy:
      'Run `schwarm audit key --out FILE`, put the public key that it prints under [audit] into config.toml, take FILE off this machine, start the peer again, and approve.',
  },
  PEER_AUDIT_FILE: {
    blame: 'operator',
    cause: (d: { file: string; reason: string }) => `${d.file}: ${d.reason}`,
    remedy: 'Name another file, or make it again with `schwarm audit key`, `audit open` or `audit export`.',
  },
  PEER_BULK_FAILED: {
    blame: 'self',
    cause: (d: { reason: string }) => `a step over whole vectors failed: ${d.reason}`,
    remedy: 'The step is tried again while it is wanted. Look for too little memory on this machine; if it repeats, keep the log and report it.',
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

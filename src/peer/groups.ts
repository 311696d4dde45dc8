/** From the names in a study to the members of a run: pure. */
import { drawnGroups, type GroupTree, leavesOfTree } from '../aggregation/index.ts';
import type { Account } from '../common/index.ts';
import { isTraining, namedGroupsOf, type Study, type StudyGroup } from '../study/index.ts';
import { namedGroups, type RunTerms } from '../wire/index.ts';
import type { NamedMember } from './consortium.ts';
import { peerErrors } from './errors.ts';

/**
 * The groups that a study names, over the members of a run by index; undefined where it names none. Who is in no run is left out; `groupsOfSet` joins what
 * that leaves too small. Throws PEER_GROUPS_DO_NOT_FIT where a member of the run is in no group, or a name is not one member's alone.
 */
export function groupsOfRun(study: Study, members: readonly NamedMember[]): GroupTree | undefined {
  const groups = isTraining(study) ? namedGroupsOf(study.manifest.terms.groups) : undefined;
  if (groups === undefined) return undefined;
  const tree: GroupTree = { children: groups.map((group) => placed(group, members)) };
  const indexes = leavesOfTree(tree).flat();
  const unnamed = members.filter((_, at) => !indexes.includes(at)).map(({ name }) => name);
  const shared = members.filter(({ isShared }, at) => isShared && indexes.includes(at)).map(({ name }) => name);
  if (unnamed.length + shared.length > 0) throw peerErrors.PEER_GROUPS_DO_NOT_FIT({ unnamed, shared: [...new Set(shared)] });
  return tree;
}

function placed(group: StudyGroup, members: readonly NamedMember[]): GroupTree {
  if ('groups' in group) return { children: group.groups.map((below) => placed(below, members)) };
  return { members: members.flatMap(({ name }, at) => (group.members.includes(name) ? [at] : [])) };
}

/** A run's start as the ledger has it on record. */
export interface StartOnRecord {
  readonly contract: Account;
  readonly study: string;
  readonly roster: readonly Account[];
  /** Of the roster, by index. */
  readonly names: readonly string[];
  readonly terms: Pick<RunTerms, 'groupSize'>;
}

/** The groups of a run as an auditor works them out; undefined where it sums over all. Throws PEER_AUDIT_FILE without the study that names them. */
export function groupsOnRecord({ contract, study: id, roster, names, terms }: StartOnRecord, study: Study | undefined): GroupTree | undefined {
  if (terms.groupSize === 0) return undefined;
  if (terms.groupSize !== namedGroups) return drawnGroups(roster, contract, terms.groupSize);
  if (study?.id !== id) {
    const reason = `it names the groups of the run: give its folder with --study${study ? `; the one given is ${study.id}` : ''}`;
    throw peerErrors.PEER_AUDIT_FILE({ file: `study ${id}`, reason });
  }
  const members = names.map((name, at) => ({ name, isShared: names.indexOf(name) !== at || names.lastIndexOf(name) !== at }));
  return groupsOfRun(study, members);
}

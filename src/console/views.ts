/** What the API says, as plain JSON: maps become lists, accounts get their names, untrusted texts stay texts. */

import type { FactLine, Peer, PeerStatus, ProposalView, RoundView, RunStatus, StudyDetail, StudyView } from '../peer/index.ts';
import { auditSentences, exposureOf } from '../peer/index.ts';

function proposal(peer: Peer, view: ProposalView): object {
  const { consortium } = peer.context;
  const votes = [...view.votes].map(([account, support]) => ({ account, name: consortium.nameOf(account), support }));
  const subject = view.action.kind === 'admit' ? view.action.name : consortium.nameOf(view.action.account);
  return { proposal: view.proposal, by: consortium.nameOf(view.by), action: view.action, subject, votesNeeded: view.votesNeeded, votes, done: view.done };
}

/** A peer at a glance. */
export function statusView(peer: Peer): object {
  const status: PeerStatus = peer.status();
  const { membership } = status;
  const waiting =
    membership.kind === 'waiting' ? { proposal: membership.proposal && proposal(peer, membership.proposal), missingVotes: membership.missingVotes } : {};
  return { ...status, membership: { kind: membership.kind, ...waiting } };
}

/** Members and open proposals. */
export function membersView(peer: Peer): object {
  const { consortium, network, account } = peer.context;
  const connections = new Map(network.connections().map((connection) => [connection.peerId, connection]));
  const members = [...consortium.members.values()].map((member) => {
    const connection = connections.get(member.peerId);
    return {
      ...member,
      self: member.account === account,
      connected: connection !== undefined,
      address: connection?.address ?? null,
      roundTripMs: connection?.roundTripMs ?? null,
      versions: connection?.versions ?? null,
      otherVersions: network.incompatible().get(member.peerId) ?? null,
    };
  });
  return { members, proposals: [...consortium.proposals.values()].map((view) => proposal(peer, view)) };
}

/** A study on the ledger. */
export function studyView(peer: Peer, view: StudyView): object {
  const { consortium } = peer.context;
  const decisions = [...view.decisions].map(([account, { approved, dataVersion }]) => ({ account, name: consortium.nameOf(account), approved, dataVersion }));
  return { study: view.study, publisher: consortium.nameOf(view.by), sizeBytes: view.sizeBytes, decisions };
}

/** Everything that a steward looks at: the question, the SELECT, what is trained, who decided what. */
export function studyDetailView(peer: Peer, detail: StudyDetail): object {
  const { study, model, publisher, decisions, approval } = detail;
  const trained = model && { operators: model.operators, parameters: model.genesis.length, layout: model.layout };
  return {
    study: study.id,
    manifest: study.manifest,
    audit: auditSentences(study),
    featuresSql: study.featuresSql,
    model: trained ?? null,
    publisher: peer.context.consortium.nameOf(publisher),
    decisions,
    approval: approval ?? null,
    exposure: exposureOf(study),
  };
}

function round(view: RoundView): object {
  const { round: ordinal, phase, roster, attempt, set, done, rejected, deadlineS, openedS, phaseS, state, model, reason } = view;
  return {
    round: ordinal,
    phase,
    roster,
    attempt,
    set,
    done,
    rejected,
    deadlineS,
    openedS,
    phaseS,
    state: state ?? null,
    model: model ?? null,
    reason: reason ?? null,
  };
}

/** A run: where it stands, what it waits for, its curve. */
export function runView(peer: Peer, status: RunStatus): object {
  const { view, title, finalRounds, waiting, figures, outcome, missing, model, trouble, isMember, exposure } = status;
  const { consortium } = peer.context;
  return {
    run: view.run,
    study: view.study,
    title,
    starter: consortium.nameOf(view.starter),
    members: view.roster.map((account) => ({ account, name: consortium.nameOf(account) })),
    rounds: view.terms.rounds,
    finalRounds,
    startedS: view.startedS,
    newest: view.rounds.length > 0 ? round(view.rounds.at(-1) as RoundView) : null,
    suspended: view.suspended.map((member) => consortium.nameOf(view.roster[member] ?? view.starter)),
    struck: view.struck.map((member) => consortium.nameOf(view.roster[member] ?? view.starter)),
    history: view.rounds.map(({ round: ordinal, phase, set, rejected, attempt, openedS, phaseS, state, model: hash, reason }) => ({
      round: ordinal,
      phase,
      members: set.length,
      absent: view.roster.flatMap((account, member) => (set.includes(member) ? [] : [consortium.nameOf(account)])),
      rejectedBy: rejected.map((member) => consortium.nameOf(view.roster[member] ?? view.starter)),
      attempt,
      seconds: phaseS - openedS,
      state: state ?? null,
      model: hash ?? null,
      reason: reason ?? null,
    })),
    waiting: waiting ?? null,
    figures,
    outcome: outcome ?? null,
    missing,
    model: model ?? null,
    trouble: trouble ?? null,
    isMember,
    open: view.terms.open,
    exposure,
  };
}

/** Facts of the ledger, newest first, in words for people beside the fact itself. */
export function factView(peer: Peer, line: FactLine): object {
  return { ...line, words: factWords(peer, line) };
}

function memberName(peer: Peer, line: FactLine, member: number): string {
  const account = peer.context.consortium.runs.get(line.run ?? -1)?.roster[member];
  return account ? peer.context.consortium.nameOf(account) : `member ${member}`;
}

function factWords(peer: Peer, line: FactLine): string {
  const { fact } = line;
  const { consortium } = peer.context;
  if ('member' in fact) return `${fact.kind === 'voted' && !fact.accept ? 'voted against' : fact.kind} · ${memberName(peer, line, fact.member)}`;
  if ('members' in fact)
    return `${fact.kind} · ${fact.members.map((member) => memberName(peer, line, member)).join(', ')}${fact.suspended.length > 0 ? ' · suspended' : ''}`;
  if (fact.kind === 'void') return `${fact.kind} · ${fact.reason}`;
  if (fact.kind === 'rolledBack') return `${fact.kind} · to round ${fact.to}`;
  if ('set' in fact) return `${fact.kind} · ${fact.set.length} members`;
  if ('by' in fact) return `${fact.kind} · ${consortium.nameOf(fact.by)}`;
  if ('name' in fact) return `${fact.kind} · ${fact.name}`;
  if ('account' in fact) return `${fact.kind} · ${consortium.nameOf(fact.account)}`;
  if (fact.kind === 'runEnded') return `${fact.kind} · ${fact.outcome}`;
  return fact.kind;
}

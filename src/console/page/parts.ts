/** The parts of the page: each a function of the newest snapshot. Texts of others are rendered as text, never as markup. */
import { html } from 'htm/preact';
import { Counts, isCounting } from './counts.ts';
import { Curve } from './curve.ts';
import type { RunSnapshot, Snapshot } from './snapshot.ts';
import { words } from './words.ts';

const phaseNames = ['join', 'share', 'commit', 'ready', 'reveal', 'final'] as const;

async function stopRun(run: number): Promise<void> {
  if (confirm(words.confirmStop)) await fetch(`/v1/runs/${run}/stop`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
}

/** Name, consortium, ledger mode. */
export function Header({ status }: Snapshot): unknown {
  const { ledger, membership } = status;
  const silent = ledger.silentS > 5 ? html` · <b>${words.silent} ${ledger.silentS} s</b>` : '';
  return html`<header><h1>Schwarm</h1><span>${status.name}</span><span class="mode">chain <span class="mono">${ledger.chainId}</span> · ${words.block} ${ledger.block} · ${words.ledger}: <b>${ledger.mode === 'embedded' ? words.embedded : words.consortium}</b>${silent}</span></header>
    ${membership.kind === 'waiting' ? html`<main><div class="wait wide" role="status">${words.waitingMembership} ${membership.missingVotes?.join(', ')}</div></main>` : ''}`;
}

function Phases({ run }: { run: RunSnapshot }): unknown {
  const { newest } = run;
  const now = newest ? phaseNames.indexOf(newest.phase as (typeof phaseNames)[number]) : -1;
  const part = newest && newest.set.length > 0 ? Math.round((100 * newest.done.length) / newest.set.length) : 0;
  return html`<ol class="phases">${phaseNames.map((name, at) => {
    const state = at < now || newest?.phase === 'final' ? 'done' : at === now ? 'now' : '';
    return html`<li class=${state} style=${`--part:${part}%`}><i></i>${words.phases[name]}${at === now && newest && newest.phase !== 'final' ? ` ${newest.done.length}/${newest.set.length}` : ''}</li>`;
  })}</ol>`;
}

function Waiting({ run, timeS }: { run: RunSnapshot; timeS: number }): unknown {
  const { waiting } = run;
  if (!waiting) return '';
  return html`<div class="wait" role="status">${words.waitingFor} <b>${waiting.members.join(', ') || words.nobody}</b> · ${words.since} ${Math.max(0, timeS - waiting.sinceS)} ${words.seconds}, ${words.until} ${Math.max(0, waiting.untilS - waiting.sinceS)} ${words.seconds}</div>`;
}

/** Says in plain words that nothing is hidden in this run, where that is so. */
function OpenNote({ run }: { run: RunSnapshot }): unknown {
  return run.open ? html`<div class="trouble" role="note">${words.openRun}</div>` : '';
}

/** The run that is under way, or the last one. */
export function Run({ runs, status }: Snapshot): unknown {
  const run = runs.at(-1);
  if (!run) return html`<section><h2>${words.running}</h2><p class="soft">${words.noRun}</p></section>`;
  const missing = run.missing.length > 0 ? ` · ${words.without} ${run.missing.join(', ')}` : '';
  return html`<section><h2>${run.outcome === null ? words.running : words.lastRun}</h2>
    <div class="big">${run.title || run.study.slice(0, 12)}</div>
    <div class="soft">${words.askedBy} ${run.starter} · <span class="mono">${run.study.slice(0, 12)}</span></div>
    <${OpenNote} run=${run} />
    <div class="row" style="margin-top:16px"><span class="big">${words.round} ${run.finalRounds}</span><span class="soft">${words.of} ${run.rounds}</span>
      ${run.outcome === null && run.isMember ? html`<button class="stop" style="margin-left:auto" onClick=${() => stopRun(run.run)}>${words.stop}</button>` : ''}</div>
    <${Phases} run=${run} />
    ${run.outcome === null ? html`<${Waiting} run=${run} timeS=${status.ledger.timeS} />` : html`<div class=${run.outcome === 'complete' ? 'good' : 'wait'} role="status">${run.outcome}${missing}${run.outcome === 'complete' ? ` · ${words.complete}` : ''}</div>`}
    ${run.suspended.length > 0 ? html`<div class="wait" role="status">${words.suspended} <b>${run.suspended.join(', ')}</b></div>` : ''}
    ${run.history.at(-2)?.reason === 'rejected' ? html`<div class="wait" role="status">${words.rejectedBy} <b>${run.history.at(-2)?.rejectedBy.join(', ')}</b></div>` : ''}
    ${run.trouble ? html`<div class="trouble" role="alert">${run.trouble}</div>` : ''}
    ${run.model ? html`<p class="soft small">${words.model} <span class="mono">${run.model}</span></p>` : ''}</section>`;
}

/** The curve of the newest run, or what it counts. */
export function Found({ runs }: Snapshot): unknown {
  const run = runs.at(-1);
  if (run && isCounting(run)) return html`<${Counts} key=${run.run} run=${run} />`;
  return html`<section><h2>${words.loss}</h2>${run ? html`<${Curve} key=${run.run} run=${run} />` : html`<p class="soft">${words.noLoss}</p>`}</section>`;
}

/** Members on a circle: connected ones are linked, those that a round waits for are amber. */
export function Graph({ members, runs }: Snapshot): unknown {
  const active = members.filter((member) => member.active);
  const waited = new Set(runs.at(-1)?.outcome === null ? runs.at(-1)?.waiting?.members : []);
  const places = active.map((_, at) => {
    const angle = (2 * Math.PI * at) / active.length - Math.PI / 2;
    return { x: 210 + 130 * Math.cos(angle), y: 120 + 72 * Math.sin(angle) };
  });
  const self = active.findIndex((member) => member.self);
  return html`<section><h2>${words.members}</h2><svg viewBox="0 0 420 240" width="100%" role="img" aria-label=${words.members}>
    ${active.map((member, at) => (at !== self && member.connected ? html`<line x1=${places[self]?.x} y1=${places[self]?.y} x2=${places[at]?.x} y2=${places[at]?.y} stroke="var(--accent)" stroke-opacity=".45" stroke-width="1.5" />` : ''))}
    ${active.map(
      (
        member,
        at,
      ) => html`<g><circle cx=${places[at]?.x} cy=${places[at]?.y} r="13" fill="var(--paper)" stroke-width="2.5" stroke=${waited.has(member.name) ? 'var(--amber)' : member.connected || member.self ? 'var(--accent)' : 'var(--line)'} />
      <text x=${places[at]?.x} y=${(places[at]?.y ?? 0) + 30} text-anchor="middle">${member.name}${member.self ? ` (${words.you})` : ''}</text></g>`,
    )}
  </svg></section>`;
}

function otherVersions(member: Snapshot['members'][number]): string | undefined {
  return member.otherVersions ? `${words.otherVersions} ${member.otherVersions.join(', ')}` : undefined;
}

/** Every member with its connection. */
export function Members({ members, status }: Snapshot): unknown {
  const state = (member: Snapshot['members'][number]): string =>
    member.self ? words.you : member.active ? (member.connected ? words.connected : (otherVersions(member) ?? words.notConnected)) : words.revoked;
  return html`<section><h2>${words.members}</h2><table><thead><tr><th>${words.member}</th><th>${words.state}</th><th class="n">${words.roundTrip}</th></tr></thead><tbody>
    ${members.map((member) => html`<tr><td><span class=${`dot ${member.self || member.connected ? '' : 'off'}`}></span>${member.name}</td><td>${state(member)}</td><td class="n">${member.roundTripMs === null ? '–' : `${member.roundTripMs} ms`}</td></tr>`)}
  </tbody></table><p class="soft small">${words.hidden} ${status.counters.refusedOutsiders > 0 ? `${status.counters.refusedOutsiders} ${words.refused}.` : ''}</p></section>`;
}

/** Studies on the ledger and this member's data sets. */
export function Library({ studies, dataSets }: Snapshot): unknown {
  return html`<section class="wide pair"><div><h2>${words.studies}</h2>${studies.length === 0 ? html`<p class="soft">${words.none}</p>` : ''}
    <table><tbody>${studies.map((study) => html`<tr><td class="mono">${study.study.slice(0, 12)}</td><td>${words.published} ${study.publisher}</td><td class="n">${study.decisions.filter(({ approved }) => approved).length} ${words.approvals}</td></tr>`)}</tbody></table>
    </div><div><h2>${words.data}</h2>${dataSets.length === 0 ? html`<p class="soft">${words.none}</p>` : ''}
    <table><tbody>${dataSets.map((set) => html`<tr><td>${set.name}</td><td class="n mono">${set.dataVersion.slice(0, 12)}</td></tr>`)}</tbody></table></div></section>`;
}

/** The newest facts of the ledger. */
export function Facts({ facts }: Snapshot): unknown {
  return html`<section class="wide"><h2>${words.facts}</h2><div class="scroll"><table class="mono"><tbody>
    ${facts.map((fact) => html`<tr key=${fact.id}><td class="n soft">${words.block} ${fact.block}</td><td>${fact.words}</td><td class="soft n">${fact.round === undefined ? '' : `${words.round} ${fact.round}`}</td></tr>`)}
  </tbody></table></div></section>`;
}

/** The page: opens a session with the link's token, then shows every snapshot that the peer sends. */
import { html } from 'htm/preact';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Facts, Found, Graph, Header, Library, Members, Run } from './parts.ts';
import type { Snapshot } from './snapshot.ts';
import { words } from './words.ts';

/** Uses up the token of the link, if there is one; true where a session is open. */
async function openSession(): Promise<boolean> {
  const token = /^#t=(.+)$/.exec(location.hash)?.[1];
  history.replaceState(undefined, '', '/');
  if (token) await fetch('/v1/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }) });
  return (await fetch('/v1/status')).ok;
}

type Shown = { readonly kind: 'loading' | 'closed' | 'lost' } | { readonly kind: 'live'; readonly snapshot: Snapshot; readonly lost: boolean };

function App(): unknown {
  const [shown, show] = useState<Shown>({ kind: 'loading' });
  useEffect(() => {
    const events = { source: undefined as EventSource | undefined };
    openSession()
      .then((open) => {
        if (!open) return show({ kind: 'closed' });
        events.source = new EventSource('/v1/events');
        events.source.addEventListener('snapshot', (event) => show({ kind: 'live', snapshot: JSON.parse((event as MessageEvent<string>).data), lost: false }));
        events.source.addEventListener('error', () => show((before) => (before.kind === 'live' ? { ...before, lost: true } : { kind: 'lost' })));
      })
      .catch(() => show({ kind: 'lost' }));
    return () => events.source?.close();
  }, []);
  if (shown.kind !== 'live') return html`<main><section class="wide">${words[shown.kind]}</section></main>`;
  const { snapshot } = shown;
  return html`<${Header} ...${snapshot} /><main>
    ${shown.lost ? html`<div class="trouble wide" role="alert">${words.lost}</div>` : ''}
    <${Run} ...${snapshot} /><${Found} ...${snapshot} /><${Graph} ...${snapshot} /><${Members} ...${snapshot} /><${Library} ...${snapshot} /><${Facts} ...${snapshot} /></main>`;
}

const target = document.getElementById('page');
document.documentElement.lang = navigator.language;
if (target) render(html`<${App} />`, target);

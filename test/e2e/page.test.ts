/** The page in a real browser: at the start, in mid-run and at the end; in both languages; without a session; against strangers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { serveConsole } from '../../src/console/server.ts';
import type { Peer } from '../../src/peer/index.ts';
import { Demo, project } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

test('shows members, the running round and what it waits for, the curve, and the ledger, live', { timeout: 180_000 }, async () => {
  expect(browserPath, 'this test needs Chromium (Debian: apt-get install chromium)').toBeDefined();
  await using demo = new Demo();
  const browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ locale: 'en-GB' });
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    await demo.rounds(0, 1);
    const { link } = await demo.api(1).get<{ link: string }>('/v1/link');
    await page.goto(`${demo.api(1).url}/#t=${link}`);
    await page.getByText('Heart disease in four hospitals').waitFor();
    expect(page.url()).not.toContain('#t=');
    await demo.rounds(6, 1);
    const middle = await page.locator('main').textContent();
    expect(middle).toMatch(/round \d+\s*of 26/);
    expect(middle).toContain('Budapest (you)');
    expect(middle).toMatch(/0\.693 → 0\.\d{3}/);
    expect(middle).toMatch(/block \d+\s*(committed|ready|voted|joined|vouched) · \w+/);
    expect(await page.locator('canvas').count()).toBe(1);

    const second = await browser.newPage({ locale: 'de-DE' });
    await second.goto(`${demo.api(1).url}/#t=${link}`);
    await second.getByText('hat keine Sitzung').waitFor();
    await second.close();

    await page.getByText('The run is complete').waitFor({ timeout: 60_000 });
    expect(faults).toEqual([]);
  } finally {
    await browser.close();
  }
});

test('shows what a run counts: which sums are opened, and at the end the cells, those that are not told with the reason', { timeout: 180_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const question = {
    folder: join(project, 'deploy/studies/heart-counts'),
    fileOf: (peer: number) => join(project, 'deploy/studies/heart-disease/data', `${['cleveland', 'budapest', 'zurich', 'long-beach'][peer]}.csv`),
  };
  const edit = (toml: string): string => toml.replace('minCount = 5', 'minCount = 20').replace('unit = "patient"', 'unit = "patient"\nsteps = 1');
  const { peers, study } = await heartPeers(stack, () => ({}), { edit, question });
  const [peer] = peers as [Peer];
  const console = stack.use(await serveConsole(peer));
  const browser = stack.adopt(await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] }), (open) => open.close());
  const [page, second] = [await browser.newPage({ locale: 'en-GB' }), await browser.newPage({ locale: 'de-DE' })];
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(console.link());
  await second.goto(console.link());
  await peer.runs.start(study);
  await page.getByText('It is known which sites contribute').or(page.getByText('The tables are opened')).first().waitFor({ timeout: 60_000 });
  await page.getByText('women › no pain').waitFor({ timeout: 60_000 });
  const found = await page.locator('main').textContent();
  expect(found).toMatch(/women › no pain7036\.1 %/);
  expect(found).toMatch(/women › typical anginatoo few persons, or protects another cell/);
  expect(found).toContain('schwarm run tables 1');
  await second.getByText('zu wenige Personen, oder schützt eine andere Zelle').first().waitFor();
  expect(faults).toEqual([]);
});

test('refuses another host name, another origin, and a caller without token', { timeout: 120_000 }, async () => {
  await using demo = new Demo();
  await demo.rounds(0);
  const { url } = demo.api(0);
  expect((await fetch(`${url}/v1/status`)).status).toBe(401);
  expect((await fetch(`${url}/v1/status`, { headers: { origin: 'http://evil.example' } })).status).toBe(403);
  expect((await fetch(`${url}/v1/session`, { method: 'POST', body: '{"token":"x"}' })).status).toBe(401);
  const { port } = new URL(url);
  const { request } = await import('node:http');
  const status = await new Promise((resolve) =>
    request({ host: '127.0.0.1', port, path: '/', headers: { host: 'evil.example' } }, (answer) => resolve(answer.statusCode)).end(),
  );
  expect(status).toBe(421);
});

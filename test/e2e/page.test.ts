/** The page in a real browser: at the start, in mid-run and at the end; in both languages; without a session; against strangers. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { Demo } from '../support/demo.ts';

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

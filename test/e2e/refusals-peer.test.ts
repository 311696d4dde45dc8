/** What is wrong with a peer's surroundings ends in one clear message with the right exit code, and leaves nothing behind. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliConsortium, done, Running, schwarm } from '../support/consortium.ts';
import { fill, makeRoom, smallDisk } from '../support/disk.ts';
import { expectRefusal } from '../support/refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-refusals-'));
let consortium: CliConsortium;
let named = 0;

function listening(): Promise<{ readonly port: number; readonly server: Server }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address ? address.port : 0 });
    });
  });
}

/** A copy of the first member's home, with something changed in it. */
function homeWith(change: (home: string) => void): string {
  const home = join(folder, `home-${++named}`);
  cpSync(consortium.home(0), home, { recursive: true });
  change(home);
  return home;
}

function edited(file: string, change: (text: string) => string): (home: string) => void {
  return (home) => writeFileSync(join(home, file), change(readFileSync(join(home, file), 'utf8')), { mode: 0o600 });
}

function consortiumWith(change: object): (home: string) => void {
  return edited('consortium.json', (text) => JSON.stringify({ ...JSON.parse(text), ...change }));
}

function contents(home: string): readonly string[] {
  return readdirSync(home, { recursive: true }).map(String).sort();
}

/** `up` must be refused; the home may have got its journal and folders, but no console file that says a peer runs. */
async function refusedUp(home: string, expected: Parameters<typeof expectRefusal>[1]): Promise<void> {
  expectRefusal(await schwarm(['up', '--home', home]), expected);
  expect(contents(home).filter((name) => name === 'console.json' || name.endsWith('.new'))).toEqual([]);
  expectRefusal(await schwarm(['status', '--home', home]), { code: 4, name: 'CONSOLE_NOT_RUNNING', says: ['no peer runs in', 'schwarm up'] });
}

beforeAll(async () => {
  consortium = await CliConsortium.found({ founders: 3 });
});

afterAll(async () => {
  await consortium[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('a configuration', () => {
  test('with an unknown key', async () => {
    const home = homeWith(edited('config.toml', (text) => text.replace('[network]', 'colour = "green"\n[network]\nlisten_on = 1')));
    await refusedUp(home, { code: 5, name: 'PEER_BAD_CONFIG', says: ['config.toml', 'top level: unknown key colour', 'network: unknown key listen_on'] });
    const { out, code } = await schwarm(['doctor', '--home', home]);
    expect([code, out]).toEqual([5, expect.stringMatching(/FAILED {2}config\.toml[\s\S]*unknown key colour/)]);
  });

  test('that is not TOML, or holds a wrong value', async () => {
    await refusedUp(homeWith(edited('config.toml', (text) => text.replace('[console]', '[console'))), {
      code: 5,
      name: 'PEER_BAD_CONFIG',
      says: [/line \d+, column \d+/],
    });
    await refusedUp(homeWith(edited('config.toml', (text) => text.replace(/^port = .*$/m, 'port = 70000'))), {
      code: 5,
      name: 'PEER_BAD_CONFIG',
      says: ['console.port', '65535'],
    });
  });

  test('with an address that is none', async () => {
    await refusedUp(homeWith(edited('config.toml', (text) => text.replace(/^bootstrap = .*$/m, 'bootstrap = ["/ip4/127.0.0.1/tcp/4001"]'))), {
      code: 5,
      name: 'NETWORK_BAD_ADDRESS',
      says: ['/ip4/127.0.0.1/tcp/4001', 'does not end in /p2p/'],
    });
  });

  test('of a folder that holds no peer, or of one that holds one already', async () => {
    expectRefusal(await schwarm(['up', '--home', join(folder, 'nothing')]), { code: 5, name: 'PEER_NO_HOME', says: ['there is no peer in', 'schwarm init'] });
    expect(existsSync(join(folder, 'nothing'))).toBe(false);
    const before = contents(consortium.home(0));
    expectRefusal(await schwarm(['init', '--home', consortium.home(0), '--name', 'Again']), {
      code: 5,
      name: 'PEER_HOME_EXISTS',
      says: ['already holds a peer'],
    });
    expect(contents(consortium.home(0))).toEqual(before);
  });

  test('that a command does not know', async () => {
    const { code, out, err, leftover } = await schwarm(['up', '--home', consortium.home(0), '--colour', 'green']);
    expect([code, out, leftover]).toEqual([2, '', []]);
    expect(err).toMatch(/unknown option '--colour'[\s\S]*--help/);
  });

  test('without a consortium', async () => {
    await refusedUp(
      homeWith((home) => rmSync(join(home, 'consortium.json'))),
      { code: 5, name: 'PEER_NO_CONSORTIUM', says: ['consortium.json is missing', 'ledger deploy'] },
    );
  });
});

describe('a ledger', () => {
  test('that is not there', async () => {
    const { port, server } = await listening();
    await new Promise((resolve) => server.close(resolve));
    await refusedUp(homeWith(consortiumWith({ url: `http://127.0.0.1:${port}` })), { code: 4, name: 'LEDGER_UNREACHABLE', says: [`127.0.0.1:${port}`] });
  });

  test('that accepts connections and says nothing', { timeout: 90_000 }, async () => {
    const { port, server } = await listening();
    await refusedUp(homeWith(consortiumWith({ url: `http://127.0.0.1:${port}` })), {
      code: 4,
      name: 'LEDGER_UNREACHABLE',
      says: [`127.0.0.1:${port}`, /silent|no answer/],
    });
    server.close();
  });

  test('of another chain', async () => {
    await refusedUp(homeWith(consortiumWith({ chainId: 7342 })), { code: 5, name: 'LEDGER_WRONG_CHAIN', says: ['chain id 7341', 'expected 7342'] });
  });

  test('with another contract at the address, or none', async () => {
    await refusedUp(homeWith(consortiumWith({ contract: `0x${'ab'.repeat(20)}` })), {
      code: 5,
      name: 'LEDGER_WRONG_CONTRACT',
      says: ['no code there', `0x${'ab'.repeat(20)}`],
    });
    const members = await membersContract();
    await refusedUp(homeWith(consortiumWith({ contract: members })), { code: 5, name: 'LEDGER_WRONG_CONTRACT', says: [members, 'SHA-256'] });
  });

  /** Another contract of the same consortium: the first of the three that were deployed. */
  async function membersContract(): Promise<string> {
    const [{ token }] = JSON.parse(readFileSync(join(consortium.folder, 'ledger', 'tokens.json'), 'utf8'));
    const ask = async (method: string, params: readonly unknown[]): Promise<never> => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const response = await fetch(consortium.url, { method: 'POST', body, headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` } });
      return ((await response.json()) as { result: never }).result;
    };
    const { transactions } = (await ask('eth_getBlockByNumber', ['0x1', false])) as { transactions: string[] };
    return ((await ask('eth_getTransactionReceipt', [transactions[0]])) as { contractAddress: string }).contractAddress.toLowerCase();
  }

  test('that does not accept the token', async () => {
    await refusedUp(
      homeWith((home) => writeFileSync(join(home, 'ledger.token'), 'x'.repeat(43), { mode: 0o600 })),
      { code: 3, name: 'LEDGER_TOKEN_REFUSED', says: ['token'] },
    );
  });
});

describe('a port in use', () => {
  test('by the network, by the console, by the ledger', async () => {
    const { port, server } = await listening();
    const busy = String(port);
    await refusedUp(homeWith(edited('config.toml', (text) => text.replace('/tcp/0', `/tcp/${busy}`))), {
      code: 5,
      name: 'NETWORK_ADDRESS_IN_USE',
      says: [busy, 'listen'],
    });
    await refusedUp(homeWith(edited('config.toml', (text) => text.replace(/^port = .*$/m, `port = ${busy}`))), {
      code: 5,
      name: 'CONSOLE_PORT_IN_USE',
      says: [busy],
    });
    expectRefusal(await schwarm(['ledger', 'serve', '--folder', join(folder, 'ledger'), '--port', busy]), {
      code: 5,
      name: 'LEDGER_PORT_IN_USE',
      says: [busy],
    });
    server.close();
    await using again = (await Running.start(['ledger', 'serve', '--folder', join(folder, 'ledger'), '--port', busy])).running;
    expect(again.isRunning).toBe(true);
    expectRefusal(await schwarm(['ledger', 'serve', '--folder', join(folder, 'ledger'), '--port', '0']), {
      code: 5,
      name: 'LEDGER_FOLDER_IN_USE',
      says: [String(again.pid)],
    });
  });
});

describe('a home', () => {
  test('in which a peer runs: the second is refused, the first goes on', async () => {
    const home = homeWith(() => undefined);
    await using first = (await Running.start<{ ready: boolean }>(['up', '--home', home])).running;
    const before = readFileSync(join(home, 'console.json'), 'utf8');
    expectRefusal(await schwarm(['up', '--home', home]), { code: 5, name: 'PEER_HOME_IN_USE', says: [home, 'one running peer'] });
    expect(readFileSync(join(home, 'console.json'), 'utf8')).toBe(before);
    expect((await schwarm(['status', '--home', home])).code).toBe(0);
    first.kill('SIGKILL');
    await first.ended;
    expectRefusal(await schwarm(['status', '--home', home]), { code: 4, name: 'CONSOLE_(UNREACHABLE|NOT_RUNNING)', says: ['schwarm up'] });
    await using second = (await Running.start(['up', '--home', home])).running;
    expect(second.isRunning).toBe(true);
  });
});

describe('a full disk', () => {
  test('when a home is made: nothing is left of it', async (context) => {
    using disk = smallDisk(join(folder, `disk-${++named}`), 64);
    if (!disk) return context.skip('this machine does not let a small disk be mounted: root is needed');
    for (const pages of [0, 1, 2, 3]) {
      fill(disk.path, 4_096 * pages);
      const home = join(disk.path, 'home');
      expectRefusal(await schwarm(['init', '--home', home, '--name', 'Full']), { code: 5, name: 'PEER_DISK_FULL', says: ['no room', 'Make room'] });
      expect(existsSync(home)).toBe(false);
      makeRoom(disk.path);
    }
    await done(['init', '--home', join(disk.path, 'home'), '--name', 'Full']);
  });

  test('when a peer starts', async (context) => {
    using disk = smallDisk(join(folder, `disk-${++named}`), 512);
    if (!disk) return context.skip('this machine does not let a small disk be mounted: root is needed');
    const home = join(disk.path, 'home');
    cpSync(consortium.home(0), home, { recursive: true });
    fill(disk.path);
    await refusedUp(home, { code: 5, name: 'PEER_DISK_FULL', says: [home, 'Make room'] });
    makeRoom(disk.path);
    await using peer = (await Running.start(['up', '--home', home])).running;
    expect(peer.isRunning).toBe(true);
  });

  test('of the ledger: it says so, ends, and loses nothing that it confirmed', async (context) => {
    using disk = smallDisk(join(folder, `disk-${++named}`), 4_096);
    if (!disk) return context.skip('this machine does not let a small disk be mounted: root is needed');
    const serve = ['ledger', 'serve', '--folder', join(disk.path, 'ledger'), '--port', '0'];
    fill(disk.path);
    expectRefusal(await schwarm(serve), { code: 5, name: 'LEDGER_STORE_FAILED', says: ['ledger', 'disk space'] });
    makeRoom(disk.path);
    await using ledger = (await Running.start(serve)).running;
    expect(ledger.isRunning).toBe(true);
  });

  test('in the middle of a run: the peer says so and ends; with room again it starts and the run ends complete', { timeout: 240_000 }, async (context) => {
    using disk = smallDisk(join(folder, `disk-${++named}`), 8_192);
    if (!disk) return context.skip('this machine does not let a small disk be mounted: root is needed');
    const victim = 1;
    await using own = await CliConsortium.found({ founders: 3, homeOf: (member) => join(member === victim ? disk.path : folder, `member-${named}-${member}`) });
    await own.upAll();
    const study = join(folder, `study-${++named}`);
    await done(['study', 'new', study]);
    const file = join(folder, `rows-${named}.csv`);
    writeFileSync(
      file,
      ['patient_id,age,systolic,outcome', ...Array.from({ length: 80 }, (_, at) => `p${at},${30 + (at % 50)},${100 + ((at * 7) % 60)},${at % 2}`), ''].join(
        '\n',
      ),
    );
    const { study: id } = await own.run<{ study: string }>(0, 'study', 'publish', study);
    for (const member of [0, 1, 2]) {
      await own.until('the study is known', async () => (await own.api(member).get<{ studies: unknown[] }>('/v1/studies')).studies.length > 0);
      await own.run(member, 'dataset', 'bind', 'patients', file);
      await own.run(member, 'study', 'approve', id, '--data', 'patients');
    }
    const { run } = await own.run<{ run: number }>(0, 'run', 'start', id);
    const finals = async (): Promise<number> => (await own.api(0).get<{ finalRounds: number }>(`/v1/runs/${run}`)).finalRounds;
    await own.until('three rounds are final', async () => (await finals()) >= 3);
    fill(disk.path);
    const ended = await own.peer(victim).ended;
    expect(own.peer(victim).log).toMatch(/error PEER_DISK_FULL: no room left in .*\n {2}Make room on the disk/);
    expect(ended).toBe(5);
    makeRoom(disk.path);
    await own.up(victim);
    const watched = await own.cli(0, 'run', 'watch', String(run));
    expect(watched.out).toMatch(/ · complete$/m);
    const held = await Promise.all([0, 1, 2].map((member) => own.api(member).get<{ model: string }>(`/v1/runs/${run}/held`)));
    expect(new Set(held.map(({ model }) => model)).size).toBe(1);
  });
});

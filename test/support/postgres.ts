/** A PostgreSQL server of one's own: a fresh cluster in a temporary folder, run by an unprivileged user, on loopback with TLS and on a socket. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

/** Password of the cluster's superuser; a word that can be found wherever it turns up. */
export const serverPassword = 'pass-canary-word';

const debian = '/usr/lib/postgresql';

function binaries(): string {
  const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a));
  return join(debian, versions[0] ?? 'none', 'bin');
}

/** Debian's nobody, since no server starts as root; the own user otherwise. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A certificate authority, and a certificate of it for localhost and 127.0.0.1, but not for 127.0.0.2. */
function makeCertificates(folder: string): void {
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '30', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '30',
    '-extfile',
    'names',
    '-out',
    'server.pem',
  );
}

/** One server; disposing ends it and removes the cluster. */
export class PostgresServer implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  /** PEM file of the authority that its certificate comes from. */
  readonly certificate: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.folder = folder;
    this.port = port;
    this.certificate = join(folder, 'ca.pem');
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'schwarm-postgres-'));
    const [cluster, words] = [join(folder, 'cluster'), join(folder, 'words')];
    mkdirSync(cluster, { mode: 0o700 });
    writeFileSync(words, `${serverPassword}\n`);
    makeCertificates(folder);
    chmodSync(join(folder, 'server.key'), 0o600);
    for (const path of [folder, cluster, words, ...['server.key', 'server.pem'].map((name) => join(folder, name))]) {
      if (user.uid !== undefined) chownSync(path, user.uid, user.gid);
    }
    execFileSync(join(binaries(), 'initdb'), ['-D', cluster, '-U', 'postgres', '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', `--pwfile=${words}`], {
      ...user,
      cwd: folder,
      stdio: 'pipe',
    });
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1,127.0.0.2',
      port,
      unix_socket_directories: folder,
      ssl: 'on',
      ssl_cert_file: join(folder, 'server.pem'),
      ssl_key_file: join(folder, 'server.key'),
      fsync: 'off',
      timezone: 'Europe/Berlin',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(binaries(), 'postgres'), ['-D', cluster, ...args], { ...user, cwd: folder, stdio: 'ignore' });
    const server = new PostgresServer(folder, port, child);
    await server.#answering();
    return server;
  }

  async #answering(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.run('SELECT 1');
      } catch (error) {
        if (attempt === 200 || this.#process.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** Runs statements as the superuser. */
  async run(sql: string): Promise<void> {
    const client = new Client({ host: this.folder, port: this.port, user: 'postgres', database: 'postgres', password: serverPassword });
    try {
      await client.connect();
      await client.query(sql);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Ends it at once, connections included, as a server that fails does. */
  async fail(): Promise<void> {
    this.#process.kill('SIGQUIT');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGINT');
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

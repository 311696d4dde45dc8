/**
 * Houses and what lies between them, as the kernel has it: a network namespace for each, joined by veth pairs to one bridge in a namespace of its
 * own. Nothing of it touches the interfaces and addresses of this machine. Needs root, `ip` and `tc`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const doorProgram = fileURLToPath(new URL('./door.ts', import.meta.url));
const subnet = '10.89.0';
const bridge = 'bridge';
/** Signals that end this process without its exit being heard of. */
const endings = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

function tool(name: 'ip' | 'tc' | 'openssl', ...args: readonly string[]): string {
  return execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Why houses of their own cannot be built here, in one sentence; undefined where they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make network namespaces';
  try {
    tool('openssl', 'version');
    using houses = Namespaces.build(['a']);
    using _ = houses.limit('a', 1_000);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const told = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
    return `network namespaces with a limited line cannot be made here: ${(told || error.message).split('\n')[0]}`;
  }
}

/** What went over one direction of a limited line, and the limit as the kernel has it. */
export interface Passed {
  readonly limitKilobitsPerS: number;
  readonly bytes: number;
  readonly dropped: number;
  /** How often a packet had to wait for the limit. */
  readonly held: number;
}

/** A limit that lies on both directions of a line until it is disposed of. */
export interface Limit extends Disposable {
  passed(): Readonly<Record<'out' | 'in', Passed>>;
}

/** One bridge and the houses on it, by name. */
export class Namespaces implements Disposable {
  readonly #prefix: string;
  readonly #names: readonly string[];
  readonly #doors: (() => void)[] = [];
  readonly #onExit = (): void => this[Symbol.dispose]();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this[Symbol.dispose]();
    process.kill(process.pid, signal);
  };

  private constructor(names: readonly string[]) {
    this.#prefix = `schwarm-${randomBytes(4).toString('hex')}`;
    this.#names = names;
    process.once('exit', this.#onExit);
    for (const signal of endings) process.once(signal, this.#onSignal);
  }

  /** Made and joined; removed with everything that runs in it on disposal, and where this process ends before. Throws what the kernel or a tool says. */
  static build(names: readonly string[]): Namespaces {
    const built = new Namespaces(names);
    try {
      built.#build();
      return built;
    } catch (error) {
      built[Symbol.dispose]();
      throw error;
    }
  }

  #build(): void {
    const hub = this.#space('');
    tool('ip', 'netns', 'add', hub);
    tool('ip', '-n', hub, 'link', 'add', bridge, 'type', 'bridge');
    tool('ip', '-n', hub, 'link', 'set', bridge, 'up');
    for (const [at, name] of this.#names.entries()) {
      const space = this.#space(name);
      tool('ip', 'netns', 'add', space);
      tool('ip', '-n', hub, 'link', 'add', this.#port(name), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
      tool('ip', '-n', hub, 'link', 'set', this.#port(name), 'master', bridge, 'up');
      tool('ip', '-n', space, 'address', 'add', `${subnet}.${at + 1}/24`, 'dev', 'eth0');
      for (const device of ['lo', 'eth0']) tool('ip', '-n', space, 'link', 'set', device, 'up');
    }
  }

  /** A house's namespace; that of the bridge for no name. */
  #space(name: string): string {
    return name ? `${this.#prefix}-${name}` : this.#prefix;
  }

  /** The end of a house's line at the bridge. */
  #port(name: string): string {
    return `port${this.#names.indexOf(name)}`;
  }

  /** The address of a house. */
  address(name: string): string {
    return `${subnet}.${this.#names.indexOf(name) + 1}`;
  }

  /** Words in front of a command that is to run in a house. They are replaced by the command: it keeps the process id. */
  before(name: string): readonly string[] {
    return ['ip', 'netns', 'exec', this.#space(name)];
  }

  /**
   * Opens a port on this machine's loopback behind which the same port of a house's own loopback answers, or of another of its addresses. It has to
   * be the same, because a console answers only who asks for it by its own port. Gives the port.
   */
  async door(name: string, host = '127.0.0.1'): Promise<number> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const [file = '', ...args] = [...this.before(name), process.execPath, doorProgram, host, String(port)];
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#doors.push(() => child.kill('SIGKILL'));
    // a socket stays in the namespace in which it was made, whoever accepts on it
    child.send('listen', server, () => server.close());
    await Promise.race([once(child, 'message'), once(child, 'close').then(([code]) => Promise.reject(new Error(`the door of ${name} ended with ${code}`)))]);
    child.unref();
    child.channel?.unref();
    return port;
  }

  /** Limits the line of a house by token buckets (`tbf`), in both directions alike. */
  limit(name: string, kilobitsPerS: number): Limit {
    const ends = { out: [this.#space(name), 'eth0'], in: [this.#space(''), this.#port(name)] } as const;
    const on = (verb: string, [space, device]: readonly [string, string], ...more: readonly string[]): string =>
      tool('tc', '-n', space, ...(verb === 'show' ? ['-s', '-j'] : []), 'qdisc', verb, 'dev', device, ...more);
    for (const end of Object.values(ends)) on('add', end, 'root', 'tbf', 'rate', `${kilobitsPerS}kbit`, 'burst', '8kb', 'latency', '400ms');
    const look = (end: readonly [string, string]): Passed => {
      const [told]: { kind: string; options: { rate: number }; bytes: number; drops: number; overlimits: number }[] = JSON.parse(on('show', end));
      if (told?.kind !== 'tbf') throw new Error(`no tbf lies on ${end.join(' ')}`);
      return { limitKilobitsPerS: (told.options.rate * 8) / 1_000, bytes: told.bytes, dropped: told.drops, held: told.overlimits };
    };
    return {
      passed: () => ({ out: look(ends.out), in: look(ends.in) }),
      [Symbol.dispose]: () => {
        for (const end of Object.values(ends)) on('del', end, 'root');
      },
    };
  }

  /** Takes the line of a house down at the bridge, as if its cable were pulled, until disposal. */
  down(name: string): Disposable {
    const set = (state: 'up' | 'down'): string => tool('ip', '-n', this.#space(''), 'link', 'set', this.#port(name), state);
    set('down');
    return { [Symbol.dispose]: () => void set('up') };
  }

  /** Bytes that went over the line of a house, both directions together, since it was built. */
  carried(name: string): number {
    const [link] = JSON.parse(tool('ip', '-n', this.#space(''), '-j', '-s', 'link', 'show', 'dev', this.#port(name)));
    return link.stats64.rx.bytes + link.stats64.tx.bytes;
  }

  /** Processes that run in these houses, those of the doors among them. */
  processes(): readonly number[] {
    return ['', ...this.#names].flatMap((name) => this.#pids(name));
  }

  /** Closes all doors. */
  closeDoors(): void {
    for (const close of this.#doors.splice(0)) close();
  }

  #pids(name: string): readonly number[] {
    try {
      return tool('ip', 'netns', 'pids', this.#space(name)).split('\n').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#onExit);
    for (const signal of endings) process.off(signal, this.#onSignal);
    this.closeDoors();
    for (const pid of this.processes()) end(pid);
    for (const name of ['', ...this.#names]) {
      try {
        tool('ip', 'netns', 'delete', this.#space(name));
      } catch {
        // it was not made
      }
    }
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended meanwhile
  }
}

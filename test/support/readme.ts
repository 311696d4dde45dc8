/** The commands of a README as a person would type them: blocks of `sh`, line by line; a line with `# keeps running` stays in the background. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { project } from './demo.ts';

/** Lines of all `sh` blocks below a heading, up to the next heading of the same level. */
export function commandsBelow(file: string, heading: string): readonly string[] {
  const text = readFileSync(join(project, file), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'));
}

/** A copy of the project in `folder`, with the installed packages linked: where the commands are typed. */
export function workplace(folder: string): string {
  const clone = join(folder, 'clone');
  mkdirSync(clone, { recursive: true });
  for (const name of ['src', 'deploy', 'contracts', 'package.json', 'package-lock.json', 'tsconfig.json', '.npmrc'])
    cpSync(join(project, name), join(clone, name), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(clone, 'node_modules'));
  return clone;
}

/** One shell in which lines are typed one after another; variables stay. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #running: ChildProcess[] = [];
  #variables = '';

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Types one line and gives what it printed; throws where it fails. */
  async type(line: string): Promise<string> {
    if (line.includes('# keeps running')) return await this.#keepRunning(line);
    const [, name] = /^([A-Z]+)=\$\(/.exec(line) ?? [];
    const script = name ? `${this.#variables}${line}\necho "$${name}"` : `${this.#variables}${line}`;
    const output = await this.#run(script);
    if (name) this.#variables += `${name}=${output.trim()}\n`;
    return output;
  }

  #run(script: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: this.#folder,
        env: { ...process.env, NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [out, err] = ['', ''];
      shell.stdout.on('data', (data) => {
        out += data;
      });
      shell.stderr.on('data', (data) => {
        err += data;
      });
      shell.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`"${script}" ended with ${code}:\n${out}${err}`))));
    });
  }

  #keepRunning(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const shell = spawn('bash', ['-c', `exec ${line}`], { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      this.#running.push(shell);
      let err = '';
      shell.stderr.on('data', (data) => {
        err += data;
      });
      createInterface({ input: shell.stdout }).once('line', resolve);
      shell.once('exit', (code) => reject(new Error(`"${line}" ended with ${code}:\n${err}`)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const shell of this.#running.reverse()) {
      if (shell.exitCode !== null || shell.pid === undefined) continue;
      const closed = new Promise((resolve) => shell.once('close', resolve));
      process.kill(-shell.pid, 'SIGTERM');
      await closed;
    }
    rmSync(join(this.#folder, '..'), { recursive: true, force: true });
  }
}

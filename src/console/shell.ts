/** What every command shares: where the home is, how results and errors are printed, which exit code an error has. */
import { resolve } from 'node:path';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import envPaths from 'env-paths';
import { isSwarmError } from '../common/index.ts';
import { errorDocument } from './api.ts';
import { ApiClient } from './client.ts';

/** Exit codes of every command. */
export const exitCodes = { done: 0, failed: 1, usage: 2, notPermitted: 3, unreachable: 4, precondition: 5 } as const;

const notPermitted = ['LEDGER_REFUSED', 'LEDGER_TOKEN_REFUSED', 'PEER_NOT_A_MEMBER', 'CONSOLE_NO_SESSION'];
const unreachable = ['LEDGER_UNREACHABLE', 'CONSOLE_UNREACHABLE', 'CONSOLE_NOT_RUNNING', 'PEER_STUDY_NOT_HERE'];

/** The exit code of an error. What the operator has to put right first is a precondition; what broke by itself has failed. */
export function exitCodeOf(error: unknown): number {
  if (!isSwarmError(error)) return exitCodes.failed;
  if (error.code === 'CONSOLE_USAGE' || error.code === 'CONSOLE_BAD_REQUEST') return exitCodes.usage;
  if (notPermitted.includes(error.code)) return exitCodes.notPermitted;
  if (unreachable.includes(error.code)) return exitCodes.unreachable;
  return error.blame === 'operator' ? exitCodes.precondition : exitCodes.failed;
}

/** What a terminal obeys instead of showing: control characters, invisible and direction-changing ones, line and paragraph separators. */
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text from the ledger or another member, without control characters or terminal escapes. */
export function plain(text: string): string {
  return text.replaceAll(obeyed, '·');
}

/** One line of JSON in which nothing is left that a terminal obeys: the same document to any parser. */
export function jsonLine(document: object): string {
  const escaped = (character: string): string =>
    Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  return JSON.stringify(document).replaceAll(obeyed, escaped);
}

/** Gathers the values of an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Prints to the right stream in the right form. */
export class Shell {
  readonly json: boolean;
  readonly home: string;

  constructor(command: Command) {
    const options = command.optsWithGlobals<{ json?: boolean; home?: string }>();
    this.json = options.json === true;
    this.home = resolve(options.home ?? envPaths('schwarm', { suffix: '' }).data);
  }

  /** The running peer's API. */
  api(): ApiClient {
    return ApiClient.of(this.home);
  }

  /** One document on stdout: JSON with --json, else lines for people. */
  print(document: object, lines: readonly string[]): void {
    process.stdout.write(this.json ? `${jsonLine(document)}\n` : `${lines.join('\n')}\n`);
  }

  /** What to do next, after success; not with --json. */
  next(text: string): void {
    if (!this.json) process.stdout.write(`${dim(`next: ${text}`)}\n`);
  }

  /** A line of progress on stderr. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}

/** Dimmed where the terminal can; NO_COLOR is respected. */
export function dim(text: string): string {
  return styleText('dim', text, { stream: process.stdout });
}

/** Prints an error with its remedy and gives the exit code. */
export function printError(error: unknown, json: boolean): number {
  if (json) process.stdout.write(`${jsonLine({ error: errorDocument(error) })}\n`);
  if (isSwarmError(error))
    process.stderr.write(
      `${styleText('red', 'error', { stream: process.stderr })} ${error.code}: ${error.message.split('\n').map(plain).join('\n')}\n  ${error.remedy}\n`,
    );
  else process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exitCodeOf(error);
}

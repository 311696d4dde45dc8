import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { ActionLog, type PersonProof, Persons, readConfig, systemClock, writeWhole } from '../../peer/index.ts';
import { consoleErrors } from '../errors.ts';
import { plain, Shell } from '../shell.ts';

const proof = z.strictObject({ name: z.string().min(1).max(64), secret: z.string().length(64) });

/** A person's file. Throws CONSOLE_USAGE where it is none. */
export async function readPerson(file: string): Promise<PersonProof> {
  try {
    return proof.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw consoleErrors.CONSOLE_USAGE({ problem: `${file} is not a file from \`schwarm person add\`` }, error);
  }
}

/** `person add` and `person log`. */
export function addPersonCommands(program: Command): void {
  const person = program.command('person').description('named people of the institution, and what was done at its console');
  person
    .command('add')
    .argument('<name>', 'who')
    .requiredOption('--file <file>', 'where to write the secret; hand it to that person only')
    .description('make a person who can approve studies')
    .action((name: string, flags: { file: string }, command: Command) => {
      const shell = new Shell(command);
      readConfig(shell.home);
      const made = new Persons(shell.home).add(name);
      new ActionLog(shell.home, systemClock).append('console', 'person add', { name });
      writeWhole(resolve(flags.file), Buffer.from(`${JSON.stringify(made)}\n`), 'the file of a person');
      shell.print({ name, file: resolve(flags.file) }, [`made ${plain(name)} · ${flags.file}`]);
    });
  person
    .command('log')
    .description('who did what at this console, checked line by line')
    .action((_flags: object, command: Command) => {
      const shell = new Shell(command);
      const actions = new ActionLog(shell.home, systemClock).read();
      const words = (detail: Readonly<Record<string, string>>): string =>
        Object.entries(detail)
          .map((pair) => plain(pair.join(' ')))
          .join(' · ');
      shell.print(
        { actions },
        actions.map(({ at, person: who, action, detail }) => `${at}  ${plain(who)}  ${plain(action)}  ${words(detail)}`),
      );
    });
}

/** The command line: nouns and verbs. Only `init`, `up`, `doctor`, `ledger serve|deploy`, `study new` and `audit` work without a running peer. */
import { Command, CommanderError } from 'commander';
import { addAuditCommands } from './commands/audit.ts';
import { addDataCommands } from './commands/data.ts';
import { addLedgerCommands } from './commands/ledger.ts';
import { addMemberCommands } from './commands/member.ts';
import { addPeerCommands } from './commands/peer.ts';
import { addPersonCommands } from './commands/person.ts';
import { addRunCommands } from './commands/run.ts';
import { addStudyCommands } from './commands/study.ts';
import { exitCodes, printError } from './shell.ts';

/** All commands, ready to parse. */
export function createProgram(): Command {
  const program = new Command('schwarm')
    .description('Institutions answer a research question together; no data leave any of them.')
    .option('--home <folder>', "the peer's folder (default: a folder of the user, by operating system)")
    .option('--json', 'print one JSON document on stdout')
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addPeerCommands(program);
  addLedgerCommands(program);
  addMemberCommands(program);
  addDataCommands(program);
  addStudyCommands(program);
  addPersonCommands(program);
  addRunCommands(program);
  addAuditCommands(program);
  for (const command of program.commands) for (const inner of [command, ...command.commands]) inner.exitOverride();
  return program;
}

/** Runs one command and gives its exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    return printError(error, args.includes('--json'));
  }
}

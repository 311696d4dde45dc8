import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { readEnrolment } from '../../peer/index.ts';
import { plain, Shell } from '../shell.ts';

interface Members {
  readonly members: readonly { name: string; account: string; peerId: string; active: boolean; self: boolean }[];
  readonly proposals: readonly {
    proposal: number;
    by: string;
    subject: string;
    action: { kind: string };
    votes: readonly { name: string; support: boolean }[];
    votesNeeded: number;
    done: boolean;
  }[];
}

async function list(shell: Shell): Promise<void> {
  const document = await shell.api().get<Members>('/v1/members');
  const members = document.members.map(
    (member) => `${member.active ? 'active ' : 'revoked'}  ${plain(member.name)}${member.self ? ' (this peer)' : ''}  ${member.account}`,
  );
  const open = document.proposals.filter(({ done }) => !done);
  const proposals = open.map(
    ({ proposal, action, subject, votes, votesNeeded }) =>
      `proposal ${proposal}: ${action.kind} ${plain(subject)} · ${votes.filter(({ support }) => support).length} of ${votesNeeded} votes`,
  );
  shell.print(document, [...members, ...proposals]);
}

/** `member propose`, `member vote`, `member list`, `member revoke`. */
export function addMemberCommands(program: Command): void {
  const member = program.command('member').description('who belongs to the consortium');
  member
    .command('propose')
    .argument('<file>', 'enrolment.json of the institution')
    .description('propose to admit an institution; counts as your vote')
    .addHelpText('after', '\nExample:\n  schwarm member propose ./enrolment-of-d.json\n')
    .action(async (file: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const { name } = await readEnrolment(file, { signal: new AbortController().signal });
      const receipt = await shell.api().send<object>('POST', '/v1/proposals', { kind: 'admit', enrolment: await readFile(file, 'utf8') });
      shell.print(receipt, [`proposed to admit ${plain(name)}`]);
      shell.next('the others see it with `schwarm member list` and vote with `schwarm member vote NUMBER`');
    });
  member
    .command('vote')
    .argument('<number>', 'number of the proposal', Number)
    .option('--against', 'vote against it')
    .description('vote on a proposal')
    .action(async (proposal: number, flags: { against?: boolean }, command: Command) => {
      const shell = new Shell(command);
      const receipt = await shell.api().send<object>('POST', `/v1/proposals/${proposal}/votes`, { support: flags.against !== true });
      shell.print(receipt, [`voted ${flags.against ? 'against' : 'for'} proposal ${proposal}`]);
    });
  member
    .command('revoke')
    .argument('<member>', 'name or account')
    .description('propose to revoke a member; counts as your vote')
    .action(async (name: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const receipt = await shell.api().send<object>('POST', '/v1/proposals', { kind: 'revoke', member: name });
      shell.print(receipt, [`proposed to revoke ${name}`]);
    });
  member
    .command('list')
    .description('members and open proposals')
    .action(async (_flags: object, command: Command) => list(new Shell(command)));
}

import { type Command, Option } from 'commander';
import { type Approved, checkModel, exposureOf, type HalfApproved, isTraining, newStudyFolder, packStudyFolder } from '../../peer/index.ts';
import { plain, Shell } from '../shell.ts';
import { readPerson } from './person.ts';

interface Detail {
  readonly study: string;
  readonly manifest: {
    readonly title: string;
    readonly question: string;
    readonly purpose: string;
    readonly training?: { readonly rounds: number; readonly localSteps: number };
  };
  readonly audit: readonly string[];
  readonly exposure: readonly string[];
  readonly featuresSql: string;
  readonly model: { readonly operators: readonly string[]; readonly parameters: number } | null;
  readonly publisher: string;
  readonly decisions: readonly { readonly name: string; readonly approved: boolean }[];
}

function approvalLines(done: Approved | HalfApproved): string[] {
  const id = done.study.slice(0, 12);
  if ('missing' in done) return [`noted for ${id}: ${done.by.map(plain).join(', ')} · ${done.missing} more person must approve before the ledger is told`];
  const sparse = done.sparse.map(({ name, rows }) => `note: ${plain(name)} differs in ${rows} training rows only; what the sum says of it is about them`);
  const rows = 'train' in done ? `${done.train} training and ${done.test} test rows` : `${done.rows} rows about ${done.units} different persons or cases`;
  return [`approved ${id} with ${rows}`, ...sparse];
}

const signal = new AbortController().signal;

function detailLines(detail: Detail): string[] {
  const { manifest, model } = detail;
  const decided = detail.decisions.map(({ name, approved }) => `${plain(name)} ${approved ? 'approves' : 'declines'}`);
  return [
    `${plain(manifest.title)} · ${detail.study}`,
    `question   ${plain(manifest.question)}`,
    `purpose    ${plain(manifest.purpose)}`,
    `published  by ${plain(detail.publisher)}`,
    ...(model && manifest.training
      ? [
          `trains     ${model.parameters} parameters (${model.operators.join(', ')}), ${manifest.training.rounds} rounds of at most ${manifest.training.localSteps} local steps`,
        ]
      : []),
    ...detail.audit.map((sentence, at) => `${at === 0 ? 'audit      ' : '           '}${sentence}`),
    ...detail.exposure.map((sentence, at) => `${at === 0 ? 'seen       ' : '           '}${plain(sentence)}`),
    `decided    ${decided.join(' · ') || 'nobody yet'}`,
    'reads      with this SELECT, and nothing else:',
    ...detail.featuresSql
      .trimEnd()
      .split('\n')
      .map((line) => `  ${plain(line)}`),
  ];
}

/** `study new`, `check`, `publish`, `show`, `approve`, `decline`. */
export function addStudyCommands(program: Command): void {
  const study = program.command('study').description('research questions as data: a manifest, one SELECT, a model');
  study
    .command('new')
    .argument('<folder>', 'a folder that does not exist yet')
    .addOption(new Option('--kind <kind>', 'train a model, or count').choices(['training', 'statistics']).default('training'))
    .description('write a small study to start from')
    .action(async (folder: string, { kind }: { kind: 'training' | 'statistics' }, command: Command) => {
      const shell = new Shell(command);
      await newStudyFolder(folder, { signal, kind });
      shell.print({ folder }, [`wrote ${folder}/study.toml${kind === 'training' ? ', features.sql and model.onnx' : ' and features.sql'}`]);
      shell.next(`edit them, then \`schwarm study check ${folder}\``);
    });
  study
    .command('check')
    .argument('<folder>', "the study's folder")
    .description('check a study as every site will: manifest, SELECT, model')
    .action(async (folder: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const { study: read, packed } = await packStudyFolder(folder, { signal });
      const report = isTraining(read) ? checkModel(read) : undefined;
      await shell.api().send<object>('POST', '/v1/studies?check=only', packed);
      const trained = report && { parameters: report.genesis.length, operators: report.operators };
      const what = trained ? [`${trained.parameters} parameters will be trained: ${trained.operators.join(', ')}`] : exposureOf(read).map(plain);
      shell.print({ study: read.id, ...trained }, [`${plain(read.manifest.title)} · ${read.id}`, ...what]);
      shell.next(`\`schwarm study publish ${folder}\``);
    });
  study
    .command('publish')
    .argument('<folder>', "the study's folder")
    .description('write the hash of a study to the ledger and offer its package to the members')
    .action(async (folder: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const { packed } = await packStudyFolder(folder, { signal });
      const { study: id } = await shell.api().send<{ study: string }>('POST', '/v1/studies', packed);
      shell.print({ study: id }, [id]);
      shell.next(`each steward: \`schwarm study show ${id.slice(0, 8)}\`, then \`schwarm study approve ${id.slice(0, 8)} --data NAME\``);
    });
  study
    .command('show')
    .argument('<study>', 'id, or its first digits')
    .description('all that a steward needs to decide')
    .action(async (id: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const detail = await shell.api().get<Detail>(`/v1/studies/${id}`);
      shell.print(detail, detailLines(detail));
    });
  study
    .command('approve')
    .argument('<study>', 'id, or its first digits')
    .requiredOption('--data <name>', 'the data set of this member that stands behind it')
    .option('--open', "agree that the other members will see this site's own updates (for a study in open mode)")
    .option('--as <file>', 'the file of the person who approves, from `schwarm person add`')
    .description('run the study over the data set once, then approve its hash on the ledger')
    .action(async (id: string, flags: { data: string; as?: string; open?: boolean }, command: Command) => {
      const shell = new Shell(command);
      const person = flags.as === undefined ? {} : { person: await readPerson(flags.as) };
      const done = await shell.api().send<Approved | HalfApproved>('POST', `/v1/studies/${id}/approve`, {
        dataSet: flags.data,
        open: flags.open === true,
        ...person,
      });
      shell.print(done, approvalLines(done));
    });
  study
    .command('decline')
    .argument('<study>', 'id, or its first digits')
    .description('decline a study, or take an approval back for runs to come')
    .action(async (id: string, _flags: object, command: Command) => {
      const shell = new Shell(command);
      const done = await shell.api().send<{ study: string }>('POST', `/v1/studies/${id}/decline`, {});
      shell.print(done, [`declined ${done.study.slice(0, 12)}`]);
    });
}

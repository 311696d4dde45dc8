/** The demo: an embedded ledger and one peer for each member on this machine, a study from approval to result. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTraining } from '../../src/study/index.ts';
import { DemoConsortium } from './consortium.ts';
import { showCounting } from './counting.ts';
import { DemoError } from './failure.ts';
import { type DemoOptions, readOptions } from './options.ts';
import { systemUser } from './processes.ts';
import { Screen } from './screen.ts';
import { approve, discover } from './steps.ts';
import { type DemoStudy, readDemoStudy } from './study.ts';
import { showTraining } from './training.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const signal = new AbortController().signal;

function banner(demo: DemoStudy, consortium: DemoConsortium, screen: Screen): void {
  screen.line();
  screen.line(`${screen.strong('Schwarm 0.1.0')} · demo "${demo.name}" · ledger: ${screen.warn('embedded, one process, operated by this machine')}`);
  screen.line(`Node ${process.versions.node} · ${process.platform} ${process.arch} · ${demo.members.length} peers, 1 ledger · everything stays on 127.0.0.1`);
  if (!consortium.isNew)
    screen.line(`Kept from the last start in ${consortium.folder}: keys, members, ledger and earlier runs. Delete the folder to begin anew.`);
  screen.line();
}

async function demo(options: DemoOptions, screen: Screen, consortium: DemoConsortium, study: DemoStudy): Promise<number> {
  banner(study, consortium, screen);
  const users = await Promise.all(options.users.map(systemUser));
  const url = await consortium.startLedger(study.members.length, users);
  screen.step('ledger', `chain 7341 at ${url}`);
  await consortium.startPeers(study.members, users, url);
  screen.step('members', `${study.members.map(({ name }) => name).join(', ')} · ${consortium.isNew ? 'three founded, the others admitted by vote' : 'kept'}`);
  await discover(consortium.peers);
  screen.step('discovery', `${study.members.length} of ${study.members.length} peers found each other over the DHT; each was given one address`);
  await approve(study.study, consortium.peers);
  screen.step('study', `"${study.study.manifest.title}" ${study.study.id.slice(0, 8)}… · approved by ${study.members.length} of ${study.members.length}`);
  const output = { parent: join(project, 'runs'), json: options.json };
  const { study: asked, ...rest } = study;
  const isWhole = isTraining(asked)
    ? await showTraining({ ...rest, study: asked }, consortium, screen, output)
    : await showCounting({ ...rest, study: asked }, consortium, screen, output);
  return isWhole ? 0 : 1;
}

/** Waits for Ctrl-C. */
function interrupted(): Promise<void> {
  return new Promise((stop) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop());
  });
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') throw new DemoError(`${options}\nUsage: npm start -- [NAME] [--exit] [--json] [--seed N]`, 2);
  const screen = new Screen(options.json);
  const study = await readDemoStudy(options.study, options.seed, signal);
  const consortium = new DemoConsortium(resolve(options.folder ?? join(project, '.schwarm', options.study)));
  const stop = interrupted();
  try {
    const code = await Promise.race([demo(options, screen, consortium, study), stop.then(() => 130)]);
    if (!options.exit && code !== 130) {
      screen.line(`\nCtrl-C stops the ledger and the ${study.members.length} peers.`);
      await stop;
    }
    return code;
  } finally {
    await consortium.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof DemoError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = error instanceof DemoError ? error.exitCode : 1;
}

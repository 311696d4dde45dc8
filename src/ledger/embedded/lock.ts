/** One process per folder: a lock file that names its holder and that a dead holder loses. */
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ledgerErrors } from '../errors.ts';

const lockName = 'lock';
const attempts = 3;

/** Start time of a process in the kernel's ticks, by which a process id that was given again is told apart; empty where the system does not say. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function lives(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return start === (await startOf(pid));
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${process.pid} ${await startOf(process.pid)}`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw ledgerErrors.LEDGER_STORE_FAILED({ file, why: error instanceof Error ? error.message : 'unknown' }, error);
  }
}

/** Takes the folder for this process until disposed. Throws LEDGER_FOLDER_IN_USE where a living process has it. */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const file = join(folder, lockName);
  let holder = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await take(file)) return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
    const [pid = '0', start = ''] = (await readFile(file, 'utf8').catch(() => '')).split(' ');
    holder = Number(pid);
    if (holder > 0 && (await lives(holder, start))) break;
    await rm(file, { force: true });
  }
  throw ledgerErrors.LEDGER_FOLDER_IN_USE({ folder, pid: holder });
}

/** The embedded engine: `anvil` as a child process that makes blocks only when told to, so that time and order are the gateway's. */
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { type Clock, isSwarmError, type Logger } from '../../common/index.ts';
import { type Exit, type Program, startProgram } from '../../sandbox/index.ts';
import { ledgerErrors } from '../errors.ts';
import { JsonRpc } from '../evm/rpc.ts';
import { engineStartTimeoutMs } from '../limits.ts';

/** What the engine is, for people. */
export const engineName = 'anvil 1.7.1';

/** A running engine with all its doors open: only the gateway may talk to it. */
export interface Engine extends AsyncDisposable {
  readonly rpc: JsonRpc;
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
  readonly lastOutput: () => string;
}

/** Which chain the engine starts with. */
interface EngineOptions {
  readonly chainId: number;
  /** Timestamp of block 0: part of every block's hash, so it is kept for ever. */
  readonly genesisTimeS: number;
  /** A state file to start from instead of block 0. */
  readonly snapshotFile: string | undefined;
}

/** What the embedded ledger needs of its surroundings. */
export interface EngineParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

const packageArch: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The engine's binary, found past the package's install script. Throws LEDGER_ENGINE_MISSING. */
function engineBinary(): string {
  const name = `@foundry-rs/anvil-${platform()}-${packageArch[arch()] ?? arch()}`;
  try {
    const fromHere = createRequire(import.meta.url);
    const fromAnvil = createRequire(fromHere.resolve('@foundry-rs/anvil/package.json'));
    return join(dirname(fromAnvil.resolve(`${name}/package.json`)), 'bin', 'anvil');
  } catch (error) {
    throw ledgerErrors.LEDGER_ENGINE_MISSING({ package: name, platform: `${platform()} ${arch()}` }, error);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** No accounts of its own (their keys are public), no fees, no blocks by itself, always the same rules and genesis. */
function engineArguments(options: EngineOptions, port: number): string[] {
  const fixed =
    '--host 127.0.0.1 --hardfork paris --gas-limit 30000000 --accounts 0 --gas-price 0 --base-fee 0 --no-priority-fee --no-cors --quiet --no-mining';
  const own = ['--port', String(port), '--chain-id', String(options.chainId), '--timestamp', String(options.genesisTimeS)];
  return [...fixed.split(' '), ...own, ...(options.snapshotFile === undefined ? [] : ['--load-state', options.snapshotFile])];
}

async function untilReady(rpc: JsonRpc, program: Program, clock: Clock, signal: AbortSignal): Promise<void> {
  const startedMs = clock.nowMs();
  let exit: Exit | undefined;
  void program.exited.then((ended) => {
    exit = ended;
  });
  for (;;) {
    try {
      await rpc.call('eth_chainId', [], { signal });
      return;
    } catch (error) {
      if (exit !== undefined)
        throw ledgerErrors.LEDGER_ENGINE_FAILED({ why: `it ended with code ${exit.code}, signal ${exit.signal}: ${program.lastOutput()}` });
      if (!isSwarmError(error, 'LEDGER_UNREACHABLE')) throw error;
      if (clock.nowMs() - startedMs > engineStartTimeoutMs)
        throw ledgerErrors.LEDGER_ENGINE_FAILED({ why: `no answer ${engineStartTimeoutMs} ms after its start` });
      await clock.sleep(15, { signal });
    }
  }
}

/** Starts the engine on a free loopback port and waits until it answers. Throws LEDGER_ENGINE_MISSING or LEDGER_ENGINE_FAILED. */
export async function startEngine(options: EngineOptions, parts: EngineParts, { signal }: { readonly signal: AbortSignal }): Promise<Engine> {
  const port = await freePort();
  const program = await startProgram({ command: engineBinary(), args: engineArguments(options, port), name: 'anvil' }, { logger: parts.logger });
  const rpc = new JsonRpc({ url: `http://127.0.0.1:${port}` }, parts.clock);
  const stop = async (): Promise<void> => {
    rpc[Symbol.dispose]();
    await program[Symbol.asyncDispose]();
  };
  try {
    await untilReady(rpc, program, parts.clock, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { rpc, pid: program.pid, exited: program.exited, lastOutput: program.lastOutput, [Symbol.asyncDispose]: stop };
}

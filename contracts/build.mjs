/**
 * Compiles the contracts to `artifacts/`, which are committed: run time needs no compiler. `node contracts/build.mjs` writes them,
 * and `compileContracts` is what a test uses to prove that the same sources still give the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = new URL('./', import.meta.url);
const contractNames = ['Members', 'Studies', 'Rounds'];

/** No metadata hash in the code: paths and comments must not change the bytes. `paris` runs on every EVM chain since 2022. */
const settings = {
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 200 },
  viaIR: false,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'evm.deployedBytecode.immutableReferences'] } },
};

const sha256 = (hex) => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex');

function artifactOf(output, version) {
  const { object, immutableReferences } = output.evm.deployedBytecode;
  const immutables = Object.values(immutableReferences ?? {})
    .flat()
    .sort((a, b) => a.start - b.start);
  const { outputSelection: _, ...compilerSettings } = settings;
  return {
    compiler: { version, settings: compilerSettings },
    /** SHA-256 of the runtime code with its immutable words zeroed, as solc gives it. */
    runtime: { sha256: sha256(object), sizeBytes: object.length / 2, immutables },
    abi: output.abi,
    bytecode: `0x${output.evm.bytecode.object}`,
  };
}

/** Artifacts by contract name; throws with the compiler's messages where a contract does not compile. */
export function compileContracts() {
  const solc = createRequire(import.meta.url)('solc');
  const names = readdirSync(folder).filter((name) => name.endsWith('.sol'));
  const sources = Object.fromEntries(names.map((name) => [name, { content: readFileSync(new URL(name, folder), 'utf8') }]));
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
  const messages = output.errors ?? [];
  if (messages.length > 0) throw new Error(messages.map((message) => message.formattedMessage).join('\n'));
  return Object.fromEntries(contractNames.map((name) => [name, artifactOf(output.contracts[`${name}.sol`][name], solc.version())]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(new URL('artifacts/', folder), { recursive: true });
  for (const [name, artifact] of Object.entries(compileContracts())) {
    writeFileSync(new URL(`artifacts/${name}.json`, folder), `${JSON.stringify(artifact, null, 2)}\n`);
    process.stdout.write(`${name}: ${artifact.runtime.sizeBytes} bytes of runtime code\n`);
  }
}

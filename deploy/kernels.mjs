// `npm run kernels`: compiles the word kernels (AssemblyScript) into src/aggregation/kernels/module.ts. A test says where that file is not what comes out here.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('../src/aggregation/kernels/', import.meta.url));

/** The module's bytes and, in words, what the compiler had to say against the source. */
async function compile() {
  const files = new Map();
  const flags = ['--enable', 'simd', '--runtime', 'stub', '-O3', '--noAssert', '--initialMemory', '16', '--outFile', 'kernels.wasm'];
  const { error, stderr } = await asc.main(['kernels.ts', ...flags], {
    readFile: (name) => (name === 'kernels.ts' ? readFileSync(`${folder}assembly/kernels.as`, 'utf8') : null),
    writeFile: (name, content) => files.set(name, content),
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return files.get('kernels.wasm');
}

/** The text of src/aggregation/kernels/module.ts that the source compiles to. */
export async function moduleText() {
  const lines = Buffer.from(await compile())
    .toString('base64')
    .match(/.{1,140}/g)
    .map((line) => `  '${line}'`);
  return `/** The word kernels as WebAssembly, compiled from \`assembly/kernels.as\` by \`npm run kernels\`: base64. */\nexport const kernelModule =\n${lines.join(' +\n')};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(`${folder}module.ts`, await moduleText());
}

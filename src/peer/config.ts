/** A peer's configuration: `config.toml`, written by `init`, and `consortium.json`, the same at every member. All defaults are here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { account, fromHex } from '../common/index.ts';
import { maxAddresses, maxAddressSizeBytes, maxNameSizeBytes } from '../wire/index.ts';
import { peerErrors } from './errors.ts';
import { isOfflinePublicKey } from './store/audit-records.ts';

const address = z.string().max(maxAddressSizeBytes).startsWith('/', 'a multiaddress such as /ip4/0.0.0.0/tcp/4001');
const addresses = z.array(address).max(maxAddresses);

const configSchema = z.strictObject({
  /** The institution's name, as others see it. */
  name: z
    .string()
    .trim()
    .min(1)
    .refine((name) => Buffer.byteLength(name) <= maxNameSizeBytes, `at most ${maxNameSizeBytes} bytes`),
  network: z.strictObject({
    /** Where the peer listens: one TCP port is enough. Port 0 takes a free one at every start. */
    listen: addresses.min(1).default(['/ip4/0.0.0.0/tcp/4001']),
    /** What others are told in place of the listening addresses, such as /dns4/peer.example.org/tcp/4001. */
    announce: addresses.default([]),
    /** Addresses of any other members, each with /p2p/ and its peer id. One that answers is enough. */
    bootstrap: addresses.default([]),
    /** Off only to see what a swarm without the DHT would be like. */
    dht: z.boolean().default(true),
  }),
  console: z.strictObject({
    /** Port of the console on 127.0.0.1; 0 takes a free one at every start. */
    port: z.int().min(0).max(65_535).default(4080),
  }),
  training: z
    .strictObject({
      /** Memory of the training process in MiB: enough for four times the model plus its activations. */
      memoryLimitMb: z.int().min(128).max(65_536).default(1024),
    })
    .prefault({}),
  /** Needed for studies with an audit window: the public half of a key that is kept off this machine. */
  audit: z
    .strictObject({
      publicKey: z
        .string()
        .transform((text) => fromHex(text) ?? new Uint8Array(0))
        .refine(isOfflinePublicKey, 'the 64 hexadecimal digits that `schwarm audit key` printed'),
    })
    .optional(),
  approvals: z
    .strictObject({
      /** How many different people of the institution must approve a study before the peer says so on the ledger. */
      persons: z.int().min(1).max(2).default(1),
    })
    .prefault({}),
  log: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
});

/** A peer's own settings. */
export type PeerConfig = z.output<typeof configSchema>;

const consortiumSchema = z.strictObject({
  format: z.literal('schwarm.consortium/1'),
  mode: z.enum(['embedded', 'consortium']),
  /** JSON-RPC address of the ledger. */
  url: z.url(),
  chainId: z.int().min(1),
  contract: z.string().transform((text) => account(text)),
  /** PEM certificate that the ledger's TLS must show; needed off loopback. */
  certificate: z.string().optional(),
});

/** What all members know of their consortium. */
export type ConsortiumFile = z.output<typeof consortiumSchema>;

function problemsOf(error: z.ZodError): readonly string[] {
  return error.issues.map((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? `unknown key ${issue.keys.join(', ')}` : issue.message;
    return `${issue.path.join('.') || 'top level'}: ${unknown}`;
  });
}

function checked<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw peerErrors.PEER_BAD_CONFIG({ file, problems: problemsOf(result.error) });
  return result.data;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Reads `config.toml` of a home. Throws PEER_NO_HOME or PEER_BAD_CONFIG with every problem. */
export function readConfig(home: string): PeerConfig {
  const file = join(home, 'config.toml');
  const text = textOf(file);
  if (text === undefined) throw peerErrors.PEER_NO_HOME({ folder: home });
  try {
    return checked(configSchema, parse(text), file);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw peerErrors.PEER_BAD_CONFIG({ file, problems: [`line ${error.line}, column ${error.column}: ${error.message.split('\n')[0]}`] }, error);
  }
}

/** Reads `consortium.json`. Throws PEER_NO_CONSORTIUM or PEER_BAD_CONFIG. */
export function readConsortium(home: string): ConsortiumFile {
  const file = join(home, 'consortium.json');
  const text = textOf(file);
  if (text === undefined) throw peerErrors.PEER_NO_CONSORTIUM({ file });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw peerErrors.PEER_BAD_CONFIG({ file, problems: ['it is not JSON'] }, error);
  }
  return checked(consortiumSchema, value, file);
}

/** What `init` may choose; the rest are defaults. */
export interface ConfigChoices {
  readonly name: string;
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
  readonly bootstrap?: readonly string[];
  readonly consolePort?: number;
}

/** The text of a new `config.toml`, with a comment at each place. Throws PEER_BAD_CONFIG where a choice does not fit. */
export function configText(choices: ConfigChoices, file: string): string {
  const { name, listen, announce, bootstrap, consolePort } = choices;
  const config = checked(configSchema, { name, network: { listen, announce, bootstrap }, console: { port: consolePort } }, file);
  const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
  return `# Settings of this peer. \`schwarm doctor\` checks them.
name = ${JSON.stringify(config.name)}

[network]
# Where this peer listens: one TCP port, open to the other members.
listen = ${list(config.network.listen)}
# What others are told instead, such as "/dns4/peer.example.org/tcp/4001".
announce = ${list(config.network.announce)}
# Addresses of other members, each ending in /p2p/ and its peer id. One that answers is enough.
bootstrap = ${list(config.network.bootstrap)}

[console]
# The console listens on 127.0.0.1 only. 0 takes a free port at every start.
port = ${config.console.port}

[approvals]
# 2: a study is approved only after two people said yes, each with \`--as\` and a file from \`schwarm person add\`.
persons = ${config.approvals.persons}
`;
}

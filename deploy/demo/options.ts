/** What `npm start` can be told. */
import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** A folder under deploy/studies. */
  readonly study: string;
  /** End after the result. */
  readonly exit: boolean;
  /** One JSON document on stdout, everything else on stderr. */
  readonly json: boolean;
  readonly seed: number | undefined;
  /** Where ledger and peers are kept between starts. */
  readonly folder: string | undefined;
  /** Names of system users, one for each member: its peer then runs as that user in a home of mode 0700. */
  readonly users: readonly string[];
}

/** Reads the arguments; a text where they do not fit. */
export function readOptions(args: readonly string[]): DemoOptions | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { exit: { type: 'boolean' }, json: { type: 'boolean' }, seed: { type: 'string' }, folder: { type: 'string' }, users: { type: 'string' } },
    });
    const seed = values.seed === undefined ? undefined : Number(values.seed);
    if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
      return `--seed is a whole number from 0 to 4294967295, not "${values.seed}"`;
    if (positionals.length > 1) return `one study at a time, not ${positionals.join(' and ')}`;
    return {
      study: positionals[0] ?? 'heart-disease',
      exit: values.exit === true,
      json: values.json === true,
      seed,
      folder: values.folder,
      users: values.users?.split(',') ?? [],
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

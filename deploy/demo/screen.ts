/** What `npm start` shows: steps with their seconds, one line of progress, and the table of the result. Everything on stderr with --json. */
import { styleText } from 'node:util';
import { plain } from '../../src/console/index.ts';
import type { Comparison, Quality } from './comparison.ts';
import type { DemoMember } from './study.ts';

const blocks = ' ▏▎▍▌▋▊▉█';
const sparks = '▁▂▃▄▅▆▇█';

/** A bar of `width` cells. */
export function bar(done: number, all: number, width = 24): string {
  const eighths = Math.round((width * 8 * done) / Math.max(1, all));
  const full = Math.floor(eighths / 8);
  return (blocks.at(-1)?.repeat(full) ?? '') + (full < width ? (blocks[eighths % 8] ?? '') : '') + '░'.repeat(Math.max(0, width - full - 1));
}

/** The last values as a line of small bars, high for large. */
export function sparkline(values: readonly number[], cells = 12): string {
  const shown = values.slice(-cells);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  return shown.map((value) => sparks[Math.round(((value - low) / (high - low || 1)) * (sparks.length - 1))]).join('');
}

/** Writes lines for people. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #startMs = performance.now();
  #live = false;
  #lastPlainMs = Number.NEGATIVE_INFINITY;

  constructor(json: boolean) {
    this.#stream = json ? process.stderr : process.stdout;
  }

  /** Seconds since the start. */
  seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  line(text = ''): void {
    this.#clear();
    this.#stream.write(`${text}\n`);
  }

  /** A finished step with the second at which it ended. */
  step(name: string, text: string): void {
    this.line(`  ${name.padEnd(11)} ${text.padEnd(84)} ${this.dim(`${this.seconds().toFixed(1)} s`)}`);
  }

  /** Progress: redrawn in place on a terminal, a line every two seconds elsewhere. */
  progress(text: string): void {
    if (this.#stream.isTTY) {
      this.#clear();
      this.#stream.write(`  ${text}`);
      this.#live = true;
    } else if (performance.now() - this.#lastPlainMs > 2_000) {
      this.#lastPlainMs = performance.now();
      this.#stream.write(`  ${text}\n`);
    }
  }

  dim(text: string): string {
    return styleText('dim', text, { stream: this.#stream });
  }

  strong(text: string): string {
    return styleText('bold', text, { stream: this.#stream });
  }

  warn(text: string): string {
    return styleText('yellow', text, { stream: this.#stream });
  }

  #clear(): void {
    if (this.#live) this.#stream.write('\r\u001b[2K');
    this.#live = false;
  }
}

function short(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(2).replace(/^0/, '');
}

function cell({ interval, accuracy }: Quality): string {
  const area = interval ? `${short(interval.auc)} (${short(interval.low)}–${short(interval.high)})` : '–';
  return `${area.padEnd(16)} ${short(accuracy).padStart(5)}`;
}

/** The table: each member alone and in the swarm, then all rows. */
export function resultTable(members: readonly DemoMember[], { rows, local, swarm, pooled }: Comparison): readonly string[] {
  const sum = (pick: 'train' | 'test'): number => rows.reduce((total, row) => total + row[pick], 0);
  const head = [
    '                    rows              alone                    in the swarm',
    '                   train  test  pos.  AUC (95 %)        acc.   AUC (95 %)        acc.',
  ];
  const line = (name: string, train: number, test: number, alone: Quality, together: Quality): string =>
    `  ${plain(name).padEnd(16)} ${String(train).padStart(5)} ${String(test).padStart(5)} ${String(together.positives).padStart(5)}  ${cell(alone)}   ${cell(together)}`;
  const lines = members.flatMap(({ name }, at) => {
    const [row, alone, together] = [rows[at], local.members[at], swarm.members[at]];
    return row && alone && together ? [line(name, row.train, row.test, alone, together)] : [];
  });
  return [
    ...head,
    ...lines,
    line('all', sum('train'), sum('test'), local.all, swarm.all),
    `${' '.repeat(50)}trained on all rows in one place: ${cell(pooled.all)}`,
  ];
}

/** One sentence: did joining pay, for whom, and for whom it cannot be told. */
export function verdict(members: readonly DemoMember[], { local, swarm }: Comparison): string {
  const judged = members.flatMap(({ name }, at) => {
    const [alone, together] = [local.members[at]?.auc, swarm.members[at]?.auc];
    return typeof alone === 'number' && typeof together === 'number' ? [{ name, paid: together > alone }] : [];
  });
  const paid = judged.filter((member) => member.paid);
  const untold = members.filter(({ name }) => !judged.some((member) => member.name === name)).map(({ name }) => name);
  const rest = untold.length === 0 ? '' : ` ${untold.join(', ')} ${untold.length === 1 ? 'has' : 'have'} too few test rows of one class to tell by AUC.`;
  const measure =
    judged.length > 0
      ? `Joining paid for ${paid.length} of ${judged.length} members that can be judged by AUC on their own test rows.`
      : `Mean accuracy is ${short(swarm.meanAccuracy)} in the swarm and ${short(local.meanAccuracy)} alone.`;
  return `${measure}${rest}`;
}

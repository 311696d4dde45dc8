/** One confirmed block as one line of the log: `number time hash transaction check`, text so that it can be read without a program. */
import { sha256, toHex, utf8 } from '../../common/index.ts';

/** All that is needed to make the block again, and the hash that the repetition must have. */
export interface BlockRecord {
  readonly number: number;
  readonly timeS: number;
  /** 0x and 64 hexadecimal digits. */
  readonly hash: string;
  /** The signed transaction in hexadecimal with 0x; absent in an empty block. */
  readonly raw: string | undefined;
}

const pattern = /^(\d{1,15}) (\d{1,15}) (0x[0-9a-f]{64}) (-|0x[0-9a-f]+) ([0-9a-f]{16})$/;

function check(text: string): string {
  return toHex(sha256(utf8(text))).slice(0, 16);
}

/** The record's line, with its line end. */
export function writeRecord(record: BlockRecord): string {
  const text = `${record.number} ${record.timeS} ${record.hash} ${record.raw ?? '-'}`;
  return `${text} ${check(text)}\n`;
}

/** The record of a line without its line end; undefined where the line is torn or changed. */
export function readRecord(line: string): BlockRecord | undefined {
  const match = pattern.exec(line);
  if (match === null) return undefined;
  const [, number = '', time = '', hash = '', raw = '', sum] = match;
  if (check(line.slice(0, -17)) !== sum) return undefined;
  return { number: Number(number), timeS: Number(time), hash, raw: raw === '-' ? undefined : raw };
}

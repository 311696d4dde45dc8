/**
 * What this member let count before, and what a new study may therefore not be told (protocol: two sums that differ by few are those few). Who counted in
 * which cell is kept in the home, by keys under a secret of this member; it leaves it never.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CellTree, type Counted, countedBytes, countedFrom, countedPairs, overlapOf } from '../aggregation/index.ts';
import { type Digest, type StudyId, toHex } from '../common/index.ts';
import type { RecordTable } from '../dataset/index.ts';
import type { StatisticsStudy } from '../study/index.ts';
import { peerErrors } from './errors.ts';
import type { RowsBase } from './releases.ts';
import { privateFolder, readIfThere, writeWhole } from './store/files.ts';
import type { Journal } from './store/journal.ts';

/** A study that was approved over a version of the data. */
interface Earlier {
  readonly study: StudyId;
  readonly title: string;
  readonly dataVersion: Digest;
  readonly widths: readonly number[];
  readonly minCount: number;
  readonly own: RowsBase;
}

/** What follows for a new study: cells that this member keeps out of it, and under which rows its sums are remembered. */
export interface Held {
  readonly withheld: readonly number[];
  readonly own: RowsBase;
}

const prefix = 'counted/';

/** Earlier studies that counted, of one member. */
export class EarlierCounts {
  readonly #home: string;
  readonly #journal: Journal;

  constructor(home: string, journal: Journal) {
    this.#home = home;
    this.#journal = journal;
  }

  /** The secret under which units get their keys: 32 bytes in hexadecimal, made once. */
  unitSecret(): string {
    const path = join(this.#home, 'units.key');
    const stored = readIfThere(path);
    if (stored) return Buffer.from(stored).toString('utf8');
    const secret = toHex(randomBytes(32));
    writeWhole(path, Buffer.from(secret), 'the key of units');
    return secret;
  }

  /**
   * Sets a study against all that were approved before. Throws PEER_COUNTS_TOO_CLOSE where a cell of it and one of an earlier study on the same data differ in few
   * persons; where the data are of another version, such cells are withheld. Studies with a cell of the same persons are remembered together, so that
   * they are summed over the same members.
   */
  hold(study: StatisticsStudy, records: RecordTable, own: RowsBase): Held {
    const { tree, pairs, minCount } = countedIn(study, records);
    const withheld = new Set<number>();
    let kin: RowsBase | undefined;
    for (const earlier of this.#others(study.id, records.dataVersion)) {
      const before = this.#pairsOf(earlier);
      const fewest = Math.max(minCount, earlier.minCount);
      const { close, hasEqual } = overlapOf(pairs, tree.parents, before, new CellTree(earlier.widths).parents, fewest);
      const isSame = earlier.dataVersion === records.dataVersion;
      if (isSame && close.length > 0) throw peerErrors.PEER_COUNTS_TOO_CLOSE({ cells: close.length, study: earlier.study, title: earlier.title, fewest });
      if (isSame && hasEqual) kin ??= earlier.own;
      for (const cell of close) withheld.add(cell);
    }
    return { withheld: [...withheld], own: kin ?? own };
  }

  /** Remembers who counts where, before the approval leaves. */
  keep(study: StatisticsStudy, records: RecordTable, own: RowsBase): void {
    const { pairs, widths, minCount } = countedIn(study, records);
    const earlier: Earlier = { study: study.id, title: study.manifest.title, dataVersion: records.dataVersion, widths, minCount, own };
    privateFolder(join(this.#home, 'counted'));
    writeWhole(this.#file(earlier), countedBytes(pairs), 'who counts where');
    this.#journal.setNote(`${prefix}${nameOf(earlier)}`, earlier);
  }

  #others(study: StudyId, dataVersion: Digest): readonly Earlier[] {
    const all = this.#journal.notes<Earlier>(prefix).map(({ note }) => note);
    return all.filter((earlier) => earlier.study !== study || earlier.dataVersion !== dataVersion);
  }

  /** Throws PEER_STORE_FAILED: without its memory a member does not go on. */
  #pairsOf(earlier: Earlier): Counted {
    const path = this.#file(earlier);
    const stored = readIfThere(path);
    const pairs = stored && countedFrom(stored);
    if (!pairs) throw peerErrors.PEER_STORE_FAILED({ folder: path, what: 'who counted where' });
    return pairs;
  }

  #file(earlier: Pick<Earlier, 'study' | 'dataVersion'>): string {
    return join(this.#home, 'counted', nameOf(earlier));
  }
}

function nameOf({ study, dataVersion }: Pick<Earlier, 'study' | 'dataVersion'>): string {
  return `${study}-${dataVersion.slice(0, 16)}`;
}

function countedIn({ manifest }: StatisticsStudy, records: RecordTable) {
  const widths = manifest.dimension.map(({ values }) => values.length);
  const tree = new CellTree(widths);
  return { tree, widths, minCount: manifest.disclosure.minCount, pairs: countedPairs(records, tree, widths.length, records.unitKeys) };
}

/** Content that members may fetch from this peer: files named by their Merkle root, checked when they are read. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digest, leavesOf, merkleRoot, toHex } from '../../common/index.ts';
import { privateFolder, readIfThere, writeWhole } from './files.ts';

/** The root under which `bytes` travel and are stored. */
export function contentRoot(bytes: Uint8Array): Digest {
  return digest(toHex(merkleRoot(leavesOf(bytes))));
}

/** A folder of content. What was asked for lately is kept in memory, a few pieces at most. */
export class BlobStore {
  readonly #folder: string;
  readonly #recent = new Map<Digest, Uint8Array>();
  readonly #kept = 24;

  constructor(home: string) {
    this.#folder = privateFolder(home, 'blobs');
  }

  /** Stores `bytes` durably and gives their root. */
  put(bytes: Uint8Array): Digest {
    const root = contentRoot(bytes);
    if (!this.get(root)) {
      writeWhole(join(this.#folder, root), bytes, 'a piece of content');
      this.#remember(root, bytes);
    }
    return root;
  }

  /** The bytes under `root`; undefined where they are missing or damaged. */
  get(root: Digest): Uint8Array | undefined {
    const recent = this.#recent.get(root);
    if (recent) return recent;
    const bytes = readIfThere(join(this.#folder, root));
    if (!bytes || contentRoot(bytes) !== root) return undefined;
    this.#remember(root, bytes);
    return bytes;
  }

  /** Removes the content under `root`, if any. */
  remove(root: Digest): void {
    this.#recent.delete(root);
    rmSync(join(this.#folder, root), { force: true });
  }

  /** How many pieces are stored. */
  count(): number {
    return readdirSync(this.#folder).length;
  }

  #remember(root: Digest, bytes: Uint8Array): void {
    this.#recent.delete(root);
    this.#recent.set(root, bytes);
    const oldest = this.#recent.keys().next().value;
    if (this.#recent.size > this.#kept && oldest !== undefined) this.#recent.delete(oldest);
  }
}

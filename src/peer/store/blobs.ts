/**
 * Content by its Merkle root: whole files, and files that are still being fetched. Everything is read piece by piece, and a piece is
 * checked against its leaf the first time that this process reads it, so a damaged file is a missing one.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chunkCount, chunkSizeBytes, type Digest, digest, equalBytes, fromHex, leafHash, leavesOf, merkleRoot, toHex } from '../../common/index.ts';
import type { Content, ContentReader, ContentSink } from '../../network/index.ts';
import { keptContent } from '../limits.ts';
import { discard, privateFolder, readIfThere, readPiece, settle, sizeIfThere, writePiece, writeUnsynced, writeWhole } from './files.ts';

/** The root under which `bytes` travel and are stored. */
export function contentRoot(bytes: Uint8Array): Digest {
  return digest(toHex(merkleRoot(leavesOf(bytes))));
}

/** Content that is being fetched. What was written survives a restart; `complete` makes it content like any other. */
export interface PartialContent extends ContentSink {
  /** Makes the content durable; false where it was removed meanwhile. To be called once every chunk was written. */
  complete(): Promise<boolean>;
}

/** A file with its leaf hashes, and which of its chunks were found good. */
interface Stored {
  readonly path: string;
  readonly sizeBytes: number;
  readonly leaves: Uint8Array;
  readonly good: Uint8Array;
}

const what = 'a piece of content';

function rootOver(leaves: Uint8Array): Digest {
  return digest(toHex(merkleRoot(Array.from({ length: leaves.length / 32 }, (_, at) => leaves.subarray(32 * at, 32 * at + 32)))));
}

/** A folder of content. Leaf hashes lie beside it, for the root does not tell them. */
export class BlobStore {
  readonly #whole: string;
  readonly #partial: string;
  readonly #lists: string;
  readonly #stored = new Map<Digest, Stored>();
  readonly #fetching = new Map<Digest, Partial>();
  readonly #recent = new Map<Digest, Uint8Array>();

  constructor(home: string) {
    this.#whole = privateFolder(home, 'blobs');
    this.#partial = privateFolder(home, 'partial');
    this.#lists = privateFolder(home, 'leaves');
  }

  /** Stores `bytes` durably and gives their root. */
  put(bytes: Uint8Array): Digest {
    const list = Buffer.concat(leavesOf(bytes));
    const root = rootOver(list);
    if (this.size(root) === undefined || !this.get(root)) {
      this.#keepList(root, list);
      writeWhole(join(this.#whole, root), bytes, what);
      this.#stored.delete(root);
      this.#remember(root, bytes);
    }
    return root;
  }

  /** All bytes under `root`; undefined where they are missing or damaged. For content that is small: `read` gives pieces. */
  get(root: Digest): Uint8Array | undefined {
    const recent = this.#recent.get(root);
    if (recent) return recent;
    const sizeBytes = this.size(root);
    const bytes = sizeBytes === undefined ? undefined : this.read(root, 0, sizeBytes);
    if (bytes) this.#remember(root, bytes);
    return bytes;
  }

  /** Bytes of the whole content under `root`; undefined where it is not here whole. */
  size(root: Digest): number | undefined {
    return sizeIfThere(join(this.#whole, root));
  }

  /** `size` bytes from `offset`, of whole content or of what is here of it; undefined where any of them is missing or damaged. */
  read(root: Digest, offset: number, size: number): Uint8Array | undefined {
    const stored = this.#find(root);
    if (!stored || offset < 0 || size < 0 || offset + size > stored.sizeBytes) return undefined;
    const [first, end] = [Math.floor(offset / chunkSizeBytes), Math.max(1, Math.ceil((offset + size) / chunkSizeBytes))];
    if (stored.good.subarray(first, end).every((good) => good === 1)) return this.#piece(root, stored, offset, size);
    const start = first * chunkSizeBytes;
    const around = this.#piece(root, stored, start, Math.min(end * chunkSizeBytes, stored.sizeBytes) - start);
    if (!around || !isGood(stored, first, around)) return undefined;
    return around.subarray(offset - start, offset - start + size);
  }

  /** What others may read of the content under `root`; undefined where nothing is here. */
  reader(root: Digest): ContentReader | undefined {
    const stored = this.#find(root);
    if (!stored) return undefined;
    return {
      sizeBytes: stored.sizeBytes,
      leaves: () => stored.leaves,
      chunk: (index) => {
        const offset = index * chunkSizeBytes;
        return this.read(root, offset, Math.min(chunkSizeBytes, stored.sizeBytes - offset));
      },
    };
  }

  /** The place for content that is fetched; what an earlier fetch has left of it is there. */
  partial({ root, sizeBytes }: Content): PartialContent {
    const known = this.#fetching.get(root);
    if (known?.sizeBytes === sizeBytes) return known;
    const made = new Partial(this, { whole: join(this.#whole, root), partial: join(this.#partial, root) }, { root, sizeBytes });
    this.#fetching.set(root, made);
    return made;
  }

  /** Removes what is here of the content under `root`. */
  remove(root: Digest): void {
    this.#recent.delete(root);
    this.#fetching.get(root)?.end();
    this.forget(root);
    for (const folder of [this.#whole, this.#partial, this.#lists]) rmSync(join(folder, root), { force: true });
  }

  /** Removes everything but the content under these roots, halves of interrupted writes included. Gives how many files went. */
  keepOnly(roots: ReadonlySet<string | undefined>): number {
    const all = [this.#whole, this.#partial, this.#lists].flatMap((folder) => readdirSync(folder).map((name) => ({ name, path: join(folder, name) })));
    const others = all.filter(({ name }) => !roots.has(name));
    for (const { path } of others) rmSync(path, { force: true });
    return others.length;
  }

  /** How many pieces of content are here whole. */
  count(): number {
    return readdirSync(this.#whole).length;
  }

  /** For `Partial`: the leaf hashes that an earlier fetch has left with the file. */
  begun(content: Content): Uint8Array | undefined {
    const stored = this.#find(content.root);
    return stored?.sizeBytes === content.sizeBytes ? stored.leaves : undefined;
  }

  /** For `Partial`: leaf hashes that were checked. */
  begin(content: Content, leaves: Uint8Array): void {
    this.#keepList(content.root, leaves);
    this.#stored.delete(content.root);
  }

  /** For `Partial`: chunk `index` was checked and written. */
  wrote(root: Digest, index: number): void {
    const stored = this.#find(root);
    if (stored) stored.good[index] = 1;
  }

  /** For `Partial`: the file has moved, or is gone. */
  forget(root: Digest): void {
    this.#fetching.delete(root);
    this.#stored.delete(root);
  }

  #find(root: Digest): Stored | undefined {
    const known = this.#stored.get(root);
    if (known) return known;
    const found = this.#load(root, join(this.#whole, root)) ?? this.#load(root, join(this.#partial, root));
    if (!found) return undefined;
    this.#stored.set(root, found);
    const oldest = this.#stored.keys().next().value;
    if (this.#stored.size > keptContent.lists && oldest !== undefined) this.#stored.delete(oldest);
    return found;
  }

  #load(root: Digest, path: string): Stored | undefined {
    const sizeBytes = sizeIfThere(path);
    if (sizeBytes === undefined) return undefined;
    const list = this.#list(root, path, sizeBytes);
    return list && { path, sizeBytes, leaves: list, good: new Uint8Array(chunkCount(sizeBytes)) };
  }

  /** The leaf hashes that were kept, or those of the file as it is, where they fit the root. */
  #list(root: Digest, path: string, sizeBytes: number): Uint8Array | undefined {
    const count = chunkCount(sizeBytes);
    const listed = count === 1 ? fromHex(root) : readIfThere(join(this.#lists, root));
    if (listed?.length === 32 * count && rootOver(listed) === root) return listed;
    if (path !== join(this.#whole, root)) return undefined;
    const computed = Buffer.concat(
      Array.from({ length: count }, (_, at) =>
        leafHash(readPiece(path, at * chunkSizeBytes, Math.min(chunkSizeBytes, sizeBytes - at * chunkSizeBytes)) ?? new Uint8Array(0)),
      ),
    );
    return rootOver(computed) === root ? computed : undefined;
  }

  /** Content of one chunk is its own list. */
  #keepList(root: Digest, list: Uint8Array): void {
    if (list.length > 32) writeUnsynced(join(this.#lists, root), list, what);
  }

  #piece(root: Digest, stored: Stored, offset: number, size: number): Uint8Array | undefined {
    const bytes = readPiece(stored.path, offset, size);
    if (!bytes) this.#stored.delete(root);
    return bytes;
  }

  #remember(root: Digest, bytes: Uint8Array): void {
    if (bytes.length > keptContent.sizeBytes) return;
    this.#recent.delete(root);
    this.#recent.set(root, bytes);
    const oldest = this.#recent.keys().next().value;
    if (this.#recent.size > keptContent.pieces && oldest !== undefined) this.#recent.delete(oldest);
  }
}

/** Checks the chunks from `first` on that `bytes` hold, and remembers the good ones. */
function isGood({ good, leaves }: Stored, first: number, bytes: Uint8Array): boolean {
  let all = true;
  for (let at = 0; at < chunkCount(bytes.length); at++) {
    const index = first + at;
    if (good[index] === 1) continue;
    const fits = equalBytes(leafHash(bytes.subarray(at * chunkSizeBytes, (at + 1) * chunkSizeBytes)), leaves.subarray(32 * index, 32 * index + 32));
    if (fits) good[index] = 1;
    all &&= fits;
  }
  return all;
}

/** A file that grows: it has its full length from the beginning, and holes where chunks are missing. */
class Partial implements PartialContent {
  readonly sizeBytes: number;
  readonly #store: BlobStore;
  readonly #paths: { readonly whole: string; readonly partial: string };
  readonly #root: Digest;
  #leaves: Uint8Array | undefined;
  #ended = false;
  #settling: Promise<boolean> | undefined;

  constructor(store: BlobStore, paths: { readonly whole: string; readonly partial: string }, content: Content) {
    this.#store = store;
    this.#paths = paths;
    this.#root = content.root;
    this.sizeBytes = content.sizeBytes;
    this.#leaves = store.begun(content);
  }

  get leaves(): Uint8Array | undefined {
    return this.#leaves;
  }

  /** Two fetches of one content may both bring the list: what the first has written since stays. */
  begin(leaves: Uint8Array): void {
    if (this.#ended || this.#leaves) return;
    discard(this.#paths.partial);
    writePiece(this.#paths.partial, this.sizeBytes, 0, new Uint8Array(0), what);
    this.#store.begin({ root: this.#root, sizeBytes: this.sizeBytes }, leaves);
    this.#leaves = new Uint8Array(leaves);
  }

  has(index: number): boolean {
    const offset = index * chunkSizeBytes;
    return this.#store.read(this.#root, offset, Math.min(chunkSizeBytes, this.sizeBytes - offset)) !== undefined;
  }

  write(index: number, bytes: Uint8Array): void {
    if (this.#ended) return;
    writePiece(this.#paths.partial, this.sizeBytes, index * chunkSizeBytes, bytes, what);
    this.#store.wrote(this.#root, index);
  }

  async complete(): Promise<boolean> {
    if (sizeIfThere(this.#paths.whole) === this.sizeBytes) return true;
    if (this.#ended || !(await this.#settle())) return false;
    this.#ended = true;
    this.#store.forget(this.#root);
    return true;
  }

  /** Once for all that complete it at the same time: for the others the file has already gone to its place. */
  #settle(): Promise<boolean> {
    this.#settling ??= settle(this.#paths.partial, this.#paths.whole, () => !this.#ended, what).finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  /** The content was removed, or is whole: what still arrives is not written. */
  end(): void {
    this.#ended = true;
  }
}

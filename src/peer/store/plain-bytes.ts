/**
 * Plain values with byte strings in them as one buffer that can be overwritten: a skeleton in JSON that holds no byte of them, then the byte strings.
 * The encoders of the platform grow their buffers and leave copies of secrets behind in freed memory.
 */
import { ownCopy, ownMemory, utf8 } from '../../common/index.ts';

const mark = '\u0000bytes';

/** `u32 length of the skeleton ‖ skeleton ‖ byte strings`: the one copy that is made, for the caller to overwrite. */
export function packValue(value: unknown): Uint8Array {
  const strings: Uint8Array[] = [];
  const skeleton = utf8(
    JSON.stringify(value, (_name, part: unknown) => {
      if (!(part instanceof Uint8Array)) return part;
      strings.push(part);
      return { [mark]: part.length };
    }),
  );
  const packed = ownMemory(4 + skeleton.length + strings.reduce((size, bytes) => size + bytes.length, 0));
  new DataView(packed.buffer).setUint32(0, skeleton.length, true);
  packed.set(skeleton, 4);
  let at = 4 + skeleton.length;
  for (const bytes of strings) {
    packed.set(bytes, at);
    at += bytes.length;
  }
  return packed;
}

/** The value behind `packValue`, with byte strings of its own. The bytes were sealed by this peer, so their form is trusted. */
export function unpackValue(packed: Uint8Array): unknown {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  let at = 4 + view.getUint32(0, true);
  const restored = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    const size: unknown = Reflect.get(part, mark);
    if (typeof size === 'number') {
      at += size;
      return ownCopy(packed.subarray(at - size, at));
    }
    return Array.isArray(part) ? part.map(restored) : Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, restored(inner)]));
  };
  return restored(JSON.parse(new TextDecoder().decode(packed.subarray(4, at))));
}

/** What a ZIP archive says that it holds (PKWARE APPNOTE 4.3): read before anything is unpacked, so that an archive that would burst is refused by its own words. */

/** The sum of unpacked sizes and the number of entries; undefined where the bytes are no ZIP archive that a workbook could be. */
export function zipContents(bytes: Uint8Array): { readonly unpackedBytes: number; readonly entries: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOfDirectory(view);
  if (end === undefined) return undefined;
  const entries = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  let unpackedBytes = 0;
  for (let entry = 0; entry < entries; entry++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) return undefined;
    const [packed, unpacked] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
    // An entry that says nothing of its size could be of any.
    if (unpacked === 0 && packed > 2) return undefined;
    unpackedBytes += unpacked;
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return { unpackedBytes, entries };
}

function endOfDirectory(view: DataView): number | undefined {
  const longestComment = 65_535;
  for (let at = view.byteLength - 22; at >= 0 && at >= view.byteLength - 22 - longestComment; at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at;
  }
  return undefined;
}

/** Versions of the protocol between peers: which this build speaks, and which two or more peers have in common. */
/** The versions that this build speaks, ascending. Version 2 adds the messages of reduce-scatter. */
export const protocolVersions: readonly number[] = [1, 2];

/** The highest version in every one of `lists`; undefined where they have none in common. */
export function commonVersion(...lists: readonly (readonly number[])[]): number | undefined {
  const [first = [], ...others] = lists;
  return first
    .filter((version) => others.every((list) => list.includes(version)))
    .reduce<number | undefined>((best, version) => Math.max(best ?? 0, version), undefined);
}

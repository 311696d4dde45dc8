/** Names of columns as a source has them, made into names that DuckDB can tell apart. */

/** Blanks around names are no part of them; a name that repeats (upper and lower case being the same) or is empty is replaced by its place. */
export function distinctNames(names: readonly string[]): readonly string[] {
  const trimmed = names.map((name) => name.trim());
  const lower = trimmed.map((name) => name.toLowerCase());
  const first = new Map<string, number>();
  lower.forEach((name, at) => {
    if (!first.has(name)) first.set(name, at);
  });
  return trimmed.map((name, at) => (name === '' || first.get(lower[at] ?? '') !== at ? `column ${at + 1}` : name));
}

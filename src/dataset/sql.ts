/** Names and texts as SQL: the only two ways in which a word from outside enters a statement of this room. */

/** `name` as an identifier. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `text` as a string literal; DuckDB knows no escapes within one but the doubled quote. */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

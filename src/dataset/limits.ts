/** Every bound of bound files and of the study's SELECT. */
export const datasetLimits = {
  files: 64,
  fileSizeBytes: 17_179_869_184,
  /** Longest header line, and most columns in it. */
  headerSizeBytes: 1_048_576,
  columns: 16_384,
  nameCharacters: 64,
  /** Rows that a SELECT may return. */
  rows: 10_000_000,
  /** Values of all features together: what one message from the child carries, in float32. */
  values: 120_000_000,
  /** DuckDB's own memory; nothing is spilled to disk. */
  memoryLimitMb: 2_048,
  /** JavaScript heap of the child. */
  heapLimitMb: 2_048,
  /** Loading, checking and the SELECT together; then the child is ended. */
  timeoutMs: 300_000,
  /** Characters of a database message that are shown. */
  messageCharacters: 300,
  /** Values of all kinds in a ViewDefinition, and how deep they may nest. */
  viewValues: 20_000,
  viewDepth: 48,
  /** Characters of any one text in a view (a constant, a description). */
  viewTextCharacters: 8_192,
  viewColumns: 1_024,
  viewConstants: 256,
  /** `select` and `unionAll` entries in all, and how deep they may nest: 64 forEach below each other take some 130 MB, 256 more than there is. */
  viewSelects: 64,
  viewSelectDepth: 12,
  viewConditions: 64,
  viewRepeatPaths: 16,
  /** One FHIRPath expression: its text, its words and signs, and how deep its steps and operators may nest. */
  pathCharacters: 4_096,
  pathTokens: 512,
  pathDepth: 64,
  /** Criteria within criteria. DuckDB's work to bind a lambda within a lambda doubles with each level: 10 ms at ten, 170 ms at twelve. */
  criteriaDepth: 6,
  /** The SELECT that a view becomes. */
  viewSqlCharacters: 2_097_152,
} as const;

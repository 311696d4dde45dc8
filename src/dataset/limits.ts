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
} as const;

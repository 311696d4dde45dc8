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
  /** Tables that are expected to take more than this are loaded into a file instead; in memory they may take three times as much. */
  inMemoryBytes: 536_870_912,
  /** The same where rows lie in a file of the child's own, and what may be spilled beside it. */
  fileMemoryLimitMb: 768,
  spilledMb: 65_536,
  /** JavaScript heap of the child. */
  heapLimitMb: 2_048,
  /** Loading, checking and the SELECT together; then the child is ended. */
  timeoutMs: 300_000,
  /** Reading one table from its sources when it is bound; then the child is ended. */
  bindTimeoutMs: 3_600_000,
  /** `binding.toml`: its size, its tables, the sources of one of them, and problems reported at once. */
  bindingSizeBytes: 262_144,
  boundTables: 64,
  sources: 16,
  bindingProblems: 50,
  /** Characters of paths and addresses, of names of columns and tables in sources, of single words, and of a SELECT of the site's own. */
  placeCharacters: 4_096,
  sourceNameCharacters: 256,
  wordCharacters: 200,
  siteSqlCharacters: 262_144,
  /** Words for true, for false, for missing values, and values of a consent. */
  words: 256,
  /** A ViewDefinition as JSON, and the files of one bulk export. */
  viewSizeBytes: 1_048_576,
  exportFiles: 4_096,
  /** A workbook is held in memory as it is packed; what it holds is read in passing, within this much. */
  excelSizeBytes: 268_435_456,
  excelUnpackedBytes: 1_073_741_824,
  excelEntries: 10_000,
  /** What is appended before it is handed on: rows, and characters of their cells. */
  appendRows: 50_000,
  appendCharacters: 16_777_216,
  /** Rows that PostgreSQL sends at once, and its silence while a connection is made. */
  cursorRows: 2_000,
  connectTimeoutMs: 20_000,
  passwordSizeBytes: 4_096,
  certificateSizeBytes: 1_048_576,
  /** Characters of a database message that are shown. */
  messageCharacters: 300,
  /** A record: its file, tables, columns of a table, values of a column, characters of a text, problems that are told at once. */
  recordSizeBytes: 1_048_576,
  recordTables: 64,
  recordColumns: 2_048,
  recordValues: 16_384,
  recordTextCharacters: 4_000,
  recordProblems: 50,
  /** Rows of a table of dummy data. */
  dummyRows: 1_000_000,
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

/** Every bound of a study package, in one place. A package that passes them is safe to hold in memory and to show. */
export const studyLimits = {
  /** `study.toml`, and its canonical JSON form. */
  manifestSizeBytes: 262_144,
  /** `features.sql`: a person has to read it before approving. */
  sqlSizeBytes: 262_144,
  /** `model.onnx`: 16 million float32 parameters. */
  modelSizeBytes: 67_108_864,
  tables: 16,
  columnsPerTable: 2_048,
  featureColumns: 4_096,
  classes: 256,
  valuesPerColumn: 1_024,
  titleCharacters: 200,
  textCharacters: 4_000,
  rounds: 10_000,
  localSteps: 100_000,
  batchSize: 65_536,
  /** Rows that one local training sees at least, repeats included: the update of one row, or of two, gives the row away (Zhu et al. 2019). */
  fewestRowsSeen: 8,
  /** Largest weight that one site's rows may have, in rows. */
  weightCap: 16_777_216,
  members: 128,
  /** Groups within groups: a region, its cities, their hospital chains, their houses. */
  groupDepth: 4,
  attempts: 8,
  /** Seconds of local work in a round. */
  budgetS: { minimum: 1, maximum: 43_000 },
  /** Shortest and longest phase in whole seconds of ledger time. */
  phaseS: { minimum: 2, maximum: 86_400 },
  /** Largest share of one member in all training rows, unless the study says otherwise. */
  dominance: 0.6,
  /** A statistics study: dimensions within each other, the cells that they span (all levels together), numbers, regressions and their columns, parts of a range. */
  dimensions: 4,
  cells: 65_536,
  variables: 32,
  models: 8,
  predictors: 32,
  bins: 256,
  /** Largest value of a variable without its decimal point: sums of its squares over 100,000 rows stay exact. */
  largestInteger: 262_144,
  /** Words of all tables together: 64 bits each. */
  tableWords: 2_097_152,
  /** Problems reported at once; the rest are counted. */
  problems: 50,
} as const;

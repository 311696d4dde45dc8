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
  /** Largest weight that one site's rows may have, in rows. */
  weightCap: 16_777_216,
  members: 64,
  attempts: 8,
  /** Shortest and longest phase in whole seconds of ledger time. */
  phaseS: { minimum: 2, maximum: 86_400 },
  /** Problems reported at once; the rest are counted. */
  problems: 50,
} as const;

/** Every bound of a model and of training. What exceeds one is refused before any runtime sees it. */
export const trainingLimits = {
  /** `model.onnx`; the same bound as a study's. */
  modelSizeBytes: 67_108_864,
  /** Protobuf fields in the whole file, elements of number lists included: bounds the memory that decoding takes. */
  modelFields: 1_000_000,
  nodes: 50_000,
  initializers: 50_000,
  rank: 8,
  /** Product of one tensor's dimensions. */
  elements: 67_108_864,
  opset: { minimum: 11, maximum: 21 },
  irVersion: { minimum: 3, maximum: 10 },
  /** Elements of an int64 tensor: they only hold shapes. */
  shapeElements: 16,
  nameCharacters: 1_000,
  rows: 10_000_000,
  batchSize: 65_536,
  /** Rows scored at once. */
  scoreBatch: 1_024,
  steps: 100_000,
  /** Memory of the training child, and the longest that one request may take. */
  memoryLimitMb: 4_096,
  requestTimeoutMs: 3_600_000,
  /** Fewest rows of either class for which an AUC is stated. */
  rowsPerClass: 5,
} as const;

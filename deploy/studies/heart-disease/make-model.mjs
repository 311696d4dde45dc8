/** Writes model.onnx of this study: logistic regression from 13 features, starting from zero. Run it with Node 24 (`node make-model.mjs`) after a change of the features. */
import { writeFileSync } from 'node:fs';
import { logisticModel } from '../../../src/study/index.ts';

writeFileSync(new URL('model.onnx', import.meta.url), logisticModel(13));

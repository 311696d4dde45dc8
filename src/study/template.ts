/** What `study new` writes: a small study that passes every check, with a comment at each place to fill in. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { studyErrors } from './errors.ts';
import type { StudyManifest } from './manifest.ts';
import { statisticsSql, statisticsToml } from './statistics-template.ts';
import { logisticModel } from './template-model.ts';

const manifest = `# A study: what is asked, which columns it needs, how the swarm trains. Sites approve the hash of this folder.
format = "schwarm.study/1"
kind = "training"
title = "A new study"
question = "Can the outcome be told from age and blood pressure?"
purpose = "Say here who may use the result, and for what."
task = "binary"                      # or "multiclass"
seed = 1
standardisation = "swarm"            # one mean and sd over all members, by a secure sum; or "none"
missing = "drop-row"                 # rows with an empty feature; or "refuse"
metrics = ["auc", "accuracy"]

# Every member binds its own files to these tables. features.sql sees the declared columns and nothing else.
[[table]]
name = "patients"

[[table.column]]
name = "patient_id"
datatype = "string"                  # string, integer, number, boolean or date
required = true

[[table.column]]
name = "age"
datatype = "integer"
minimum = 0
maximum = 120

[[table.column]]
name = "systolic"
datatype = "number"
minimum = 30
maximum = 350

[[table.column]]
name = "outcome"
datatype = "integer"
required = true
values = [0, 1]

# The features in the order in which features.sql returns them; the range bounds what enters the shared statistics.
[[features.column]]
name = "age"
min = 0
max = 120

[[features.column]]
name = "systolic"
min = 30
max = 350

[label]
column = "outcome"
classes = [0, 1]                     # the negative one first

[split]
by = "hash"                          # or by = "column" with column, train and test
key = "patient_id"
testFraction = 0.3

[training]
loss = "binary-cross-entropy"        # "softmax-cross-entropy" for task "multiclass"
optimiser = { kind = "sgd", learningRate = 0.1, momentum = 0.0 }
localSteps = 20
batchSize = 16
rounds = 30
clipNorm = 5.0                       # largest L2 norm of one member's update
weightCap = 1024                     # no member weighs more than this many rows; a power of two
budgetS = 600                        # seconds of local work in a round; a slow site counts with the steps that it did

[validation]
worsening = 0.5                      # a site votes against a model whose loss on its own test rows is 1.5 times that of the one before

# [terms] mode = "open" lets every member see every other's update, merged by rule = { kind = "coordinate-median", f = 1 }; each steward has to
# agree to that expressly. Without it only sums are seen. With nine members and more, groups = { size = 3 } sums in groups, merged by the rule; groups that follow the
# network are named: [[terms.groups]] with name and members = [names on the ledger], or name and groups = [such groups].
# [terms] may also set minMembers, maxAttempts, dominance (largest share of one member in all rows) and the longest seconds of a phase: joinS, shareS,
# readyS, revealS. Each has a default. audit = true lets each site show an auditor later, of its own will, what it submitted.
`;

const sql = `-- One SELECT. It must return every feature, the label, and the column that the split names.
SELECT age, systolic, outcome, patient_id
FROM patients
`;

/** Writes a study of two features, or one that counts, into the new folder `folder`. Throws STUDY_FOLDER_IN_USE where it exists. */
export async function writeStudyTemplate(
  folder: string,
  { signal, kind = 'training' }: { readonly signal: AbortSignal; readonly kind?: StudyManifest['kind'] },
): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw studyErrors.STUDY_FOLDER_IN_USE({ path: folder }, error);
    throw studyErrors.STUDY_UNREADABLE({ path: folder, reason: error instanceof Error ? error.message : 'unknown' }, error);
  }
  const isTraining = kind === 'training';
  await writeFile(join(folder, 'study.toml'), isTraining ? manifest : statisticsToml, { signal });
  await writeFile(join(folder, 'features.sql'), isTraining ? sql : statisticsSql, { signal });
  if (isTraining) await writeFile(join(folder, 'model.onnx'), logisticModel(2), { signal });
}

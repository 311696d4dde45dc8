/** What `study new --kind statistics` writes: a study that counts, with a comment at each place to fill in. */

/** `study.toml`. */
export const statisticsToml = `# A study that counts: which cells, which numbers in them, and what no result may show. Sites approve the hash of this folder.
format = "schwarm.study/1"
kind = "statistics"
title = "A new count"
question = "In which districts are admissions for COPD high, and does that go along with age?"
purpose = "Say here who may use the result, and for what."
unit = "patient_id"                  # column of features.sql that tells whom a row is about; it never leaves the site

# Every member binds its own files to these tables. features.sql sees the declared columns and nothing else.
[[table]]
name = "cases"

[[table.column]]
name = "patient_id"
datatype = "string"                  # string, integer, number, boolean or date
required = true

[[table.column]]
name = "district"
datatype = "string"

[[table.column]]
name = "diagnosis"
datatype = "string"

[[table.column]]
name = "age"
datatype = "integer"
minimum = 0
maximum = 120

# Cells within cells: everything, each district, and in it each diagnosis. A row with another value counts in the cell above and in none of these:
# so the district's cell holds all its cases, and "share" in the result is that of the diagnosis.
[[dimension]]
name = "district"
values = ["05911", "05913", "05915"]
labels = ["Bochum", "Dortmund", "Hamm"]

[[dimension]]
name = "diagnosis"
values = ["J44"]
labels = ["COPD"]

# Mean and standard deviation in each cell; quantiles to within one of \`bins\` parts of the range. table = false for what only models need.
[[variable]]
name = "age"
minimum = 0
maximum = 120
quantiles = [0.5]
bins = 60

[[variable]]
name = "copd"
minimum = 0
maximum = 1
table = false

# A regression over all rows: linear, logistic or poisson (then with offset = "..." where the time at risk differs).
[[model]]
name = "copd_by_age"
kind = "logistic"
outcome = "copd"
predictors = ["age"]

[disclosure]
minSites = 3                         # cells to which fewer sites contribute are opened by nobody
minCount = 5                         # nor are cells of fewer different persons
dominance = 0.85                     # nor what one site has more than this of; 1 leaves the check out
rounding = 1                         # counts are rounded to multiples of this
`;

/** `features.sql`. */
export const statisticsSql = `-- One SELECT: one row for each case, with the unit, every dimension and every variable.
SELECT patient_id, district, diagnosis, age, CAST(diagnosis = 'J44' AS INTEGER) AS copd
FROM cases
`;

-- The 13 features of FLamby's Fed-Heart-Disease: chest pain and resting ECG as indicators of their later categories.
-- Rows that FLamby leaves out have no value in flamby_split.
SELECT
  age,
  sex,
  trestbps,
  chol,
  fbs,
  thalach,
  exang,
  oldpeak,
  CAST(cp = 2 AS INTEGER) AS cp_atypical_angina,
  CAST(cp = 3 AS INTEGER) AS cp_non_anginal,
  CAST(cp = 4 AS INTEGER) AS cp_none,
  CAST(restecg = 1 AS INTEGER) AS restecg_st_t,
  CAST(restecg = 2 AS INTEGER) AS restecg_hypertrophy,
  target,
  flamby_split
FROM patients
WHERE flamby_split IS NOT NULL

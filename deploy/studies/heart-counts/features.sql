-- One row for each patient: whom it is about, where it counts, and its numbers.
SELECT
  "row" AS patient,
  sex,
  cp,
  age,
  thalach AS heart_rate,
  target AS disease,
  sex AS male
FROM patients

/** Made-up patients as CSV for the study that `study new` writes, each row with words that can be found again wherever they turn up. */
import { writeFileSync } from 'node:fs';

/** Words that stand in no other place than a member's rows. */
export const canaries = ['canary', '173.4567'] as const;

/** `count` rows: patient_id, age, systolic, outcome; other rows for another `seed`. */
export function writePatients(file: string, count: number, seed = 0): string {
  const rows = Array.from({ length: count }, (_, at) => {
    const [age, outcome] = [30 + ((at * 13 + seed * 7) % 50), (at + (at >> 3) + seed) % 2];
    const systolic = at % 5 === 4 ? canaries[1] : 100 + ((at * 29 + seed) % 70) + 15 * outcome;
    return `${canaries[0]}-${seed}-${at},${age},${systolic},${outcome}`;
  });
  writeFileSync(file, ['patient_id,age,systolic,outcome', ...rows, ''].join('\n'));
  return file;
}

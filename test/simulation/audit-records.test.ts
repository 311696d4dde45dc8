/** Under an audit window every member of a FINAL set has a record with its words in the end, wherever it crashed, and nobody has one of another round. */
import { describe, expect, it } from 'vitest';
import { factsOf, type Oracle } from './facts.ts';
import { violations } from './oracles.ts';
import { drawSchedule } from './schedule.ts';
import { runWorld } from './world.ts';

const schedules = 60;

/** Records that are missing, have other words, or should not be. */
const recordsOfFinalRounds: Oracle = (seen) => {
  const finals = factsOf(seen, 'final');
  return seen.standing.flatMap(({ member, records }) => {
    if (seen.faulty.has(member) || seen.endedMs === undefined) return [];
    const due = seen.schedule.openRule ? [] : finals.filter(({ set }) => set.includes(member)).map(({ round }) => round);
    const wrong = due.filter((round) => {
      const [words, kept] = [seen.words.get(`${round}/${member}`), records.get(`1-${round}`)];
      return !words || !kept || Buffer.compare(words, kept) !== 0;
    });
    const extra = [...records.keys()].filter((name) => !due.some((round) => name === `1-${round}`));
    return [
      ...wrong.map((round) => `member ${member} has no record of round ${round}`),
      ...extra.map((name) => `member ${member} has a record ${name} too many`),
    ];
  });
};

describe('records for an auditor', () => {
  it(`are whole in ${schedules} schedules with crashes at every action`, { timeout: 300_000 }, async () => {
    let [records, crashes] = [0, 0];
    for (let seed = 1; seed <= schedules; seed++) {
      const { seen } = await runWorld({ ...drawSchedule(seed), audit: true });
      expect({ seed, wrong: [...recordsOfFinalRounds(seen), ...violations(seen)] }).toEqual({ seed, wrong: [] });
      records += seen.standing.reduce((sum, { records: of }) => sum + of.size, 0);
      crashes += seen.counts.get('restarts') ?? 0;
    }
    expect(records).toBeGreaterThan(schedules * 3);
    expect(crashes).toBeGreaterThan(schedules / 4);
  });
});

/** What finished sums said to people, kept by run and round. */
import type { RoundFigures } from './next-state.ts';
import type { Journal } from './store/journal.ts';

/** Where a round's figures are noted. */
export function figuresSubject(run: number, round: number): string {
  return `figures/${String(run).padStart(8, '0')}/${String(round).padStart(8, '0')}`;
}

/** Figures of all rounds of a run that this member computed itself. */
export function figuresOf(journal: Journal, run: number): readonly (RoundFigures & { readonly round: number })[] {
  const prefix = `figures/${String(run).padStart(8, '0')}/`;
  return journal.notes<RoundFigures>(prefix).map(({ subject, note }) => ({ ...note, round: Number(subject.slice(prefix.length)) }));
}

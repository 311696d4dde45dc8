/** The part of a source that says how its text cells are written. */
import type { TextForm } from '../text-form.ts';
import type { Source } from './schema.ts';

/** The declared form of text cells, without what is left out. */
export function textFormOf(source: Source): TextForm {
  if (source.kind === 'fhir') return {};
  const { decimal, thousands, dateFormat, trueWords, falseWords, missing, missingIn } = source;
  const all = { decimal, thousands, dateFormat, trueWords, falseWords, missing, missingIn };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

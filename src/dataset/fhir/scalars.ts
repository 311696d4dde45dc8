/** Values as the one number, text or truth that an operator needs (FHIRPath 2.0, section 4.5: singleton evaluation of collections). */
import { badView, valueRefusal } from './refusal.ts';
import { bound, type Item, named, numberIn, type Scope, type Sql, single, textIn, type Value } from './value.ts';

/** `value` unless it is the resource itself, which no operator takes. */
export function itemOf(scope: Scope, value: Value): Item {
  if (value.kind === 'resource') throw badView(scope.place, named(value), 'an element of it, or exists()');
  return value;
}

function refused(scope: Scope, value: Item, allowed: string) {
  return badView(scope.place, named(value), allowed);
}

/** The one number. Text in its place ends the statement. */
export function numberOf(scope: Scope, value: Item): Sql {
  if (value.kind === 'number') return single(scope, value);
  if (value.kind !== 'element') throw refused(scope, value, 'a number');
  const refusal = valueRefusal(scope.place, 'something that is no number', 'a number');
  return bound(scope, [single(scope, value)], (json) => `CASE WHEN ${json} IS NOT NULL THEN coalesce(${numberIn(json)}, ${refusal}) END`);
}

/** The one text. A number, a truth value or an object in its place ends the statement. */
export function stringOf(scope: Scope, value: Item): Sql {
  if (value.kind === 'string') return single(scope, value);
  if (value.kind !== 'element') throw refused(scope, value, 'a text');
  const refusal = valueRefusal(scope.place, 'something that is no text', 'a text');
  return bound(
    scope,
    [single(scope, value)],
    (json) => `CASE WHEN ${json} IS NOT NULL THEN CASE WHEN starts_with(${json}, '"') THEN ${textIn(json)} ELSE ${refusal} END END`,
  );
}

/** Whether a collection is true: its one value where that is a boolean, true for any other one value, NULL for none. */
export function truthOf(scope: Scope, value: Value): Sql {
  if (value.kind === 'resource') return value.kept ?? 'TRUE';
  if (value.kind === 'boolean') return single(scope, value);
  if (value.kind === 'element') return `(${single(scope, value)} <> 'false')`;
  return `(${single(scope, value)} IS NOT NULL OR NULL)`;
}

/** A condition of the view: only a boolean will do, and none counts as false (SQL on FHIR, ViewDefinition.where). */
export function conditionOf(scope: Scope, value: Value): Sql {
  const allowed = 'true, false or nothing';
  if (value.kind === 'resource' || value.kind === 'string' || value.kind === 'number') throw badView(scope.place, named(value), allowed);
  if (value.kind === 'boolean') return `coalesce(${single(scope, value)}, FALSE)`;
  const refusal = valueRefusal(scope.place, 'something that is neither true nor false', allowed);
  return bound(
    scope,
    [single(scope, value)],
    (json) => `CASE WHEN ${json} IS NULL OR ${json} = 'false' THEN FALSE WHEN ${json} = 'true' THEN TRUE ELSE ${refusal} END`,
  );
}

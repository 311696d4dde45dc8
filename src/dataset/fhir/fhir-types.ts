/**
 * What a view must know of FHIR itself. Everything else is read off the resources, so that profiles and versions make no difference.
 * Sources: FHIR R4 (4.0.1), "Data Types" and the open types of "Extensibility"; the elements of R4 that are named with `[x]`.
 */

/** How a primitive is compared and written, whatever its FHIR type is called. */
export type Category = 'boolean' | 'number' | 'string' | 'date' | 'dateTime' | 'time';

/** Primitive types, each with its category and the DuckDB type of a column. Dates stay texts, because FHIR's may lack month or day. */
export const primitives: ReadonlyMap<string, { readonly category: Category; readonly column: string }> = new Map(
  (
    [
      ['boolean', 'boolean', 'BOOLEAN'],
      ['integer', 'number', 'INTEGER'],
      ['positiveInt', 'number', 'INTEGER'],
      ['unsignedInt', 'number', 'INTEGER'],
      ['integer64', 'number', 'BIGINT'],
      ['decimal', 'number', 'DOUBLE'],
      ['date', 'date', 'VARCHAR'],
      ['dateTime', 'dateTime', 'VARCHAR'],
      ['instant', 'dateTime', 'VARCHAR'],
      ['time', 'time', 'VARCHAR'],
      ...['string', 'code', 'id', 'uri', 'url', 'canonical', 'uuid', 'oid', 'markdown', 'base64Binary', 'xhtml'].map(
        (name) => [name, 'string', 'VARCHAR'] as const,
      ),
    ] as const
  ).map(([name, category, column]) => [name, { category, column }]),
);

const complex =
  'Address Age Annotation Attachment CodeableConcept CodeableReference Coding ContactPoint Count Distance Duration HumanName Identifier Money Period Quantity ' +
  'Range Ratio RatioRange Reference SampledData Signature Timing ContactDetail Contributor DataRequirement Expression ParameterDefinition RelatedArtifact ' +
  'TriggerDefinition UsageContext Dosage Meta';

/** Data types that a choice element (`value[x]`) may take: in JSON its name ends in the type's, with a capital. */
export const dataTypes: ReadonlySet<string> = new Set([...[...primitives.keys()].filter((name) => name !== 'xhtml'), ...complex.split(' ')]);

/** Data types with a choice element in them or below. */
const withChoices = new Set(['Annotation', 'DataRequirement', 'Dosage', 'Timing', 'TriggerDefinition', 'UsageContext']);
/** Elements that are of a data type without choices in every resource that has them. */
const plainElements = new Set(['address', 'coding', 'denominator', 'high', 'identifier', 'low', 'meta', 'numerator', 'period', 'telecom']);

/** Whether a value of that data type has no choice element in it. */
export function isPlainType(type: string): boolean {
  return dataTypes.has(type) && !withChoices.has(type);
}

/** Whether what is under that name has no choice element in it, given whether what it is in has none. */
export function isPlainElement(name: string, within: boolean): boolean {
  return plainElements.has(name) || (within && name !== 'extension' && name !== 'modifierExtension');
}

/** `value` and `Quantity` to `valueQuantity`. */
export function choiceName(element: string, type: string): string {
  return `${element}${type.slice(0, 1).toUpperCase()}${type.slice(1)}`;
}

/** Choice elements directly in a resource, by resource. */
const resourceChoices: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    ActivityDefinition: ['product', 'subject', 'timing'],
    AllergyIntolerance: ['onset'],
    ChargeItem: ['occurrence', 'product'],
    ClinicalImpression: ['effective'],
    CommunicationRequest: ['occurrence'],
    ConceptMap: ['source', 'target'],
    Condition: ['abatement', 'onset'],
    Consent: ['source'],
    Contract: ['legallyBinding', 'topic'],
    CoverageEligibilityRequest: ['serviced'],
    CoverageEligibilityResponse: ['serviced'],
    DetectedIssue: ['identified'],
    DeviceDefinition: ['manufacturer'],
    DeviceRequest: ['code', 'occurrence'],
    DeviceUseStatement: ['timing'],
    DiagnosticReport: ['effective'],
    EventDefinition: ['subject'],
    FamilyMemberHistory: ['age', 'born', 'deceased'],
    Goal: ['start'],
    GuidanceResponse: ['module'],
    Immunization: ['occurrence'],
    ImmunizationEvaluation: ['doseNumber', 'seriesDoses'],
    Library: ['subject'],
    Measure: ['subject'],
    Media: ['created'],
    MedicationAdministration: ['effective', 'medication'],
    MedicationDispense: ['medication', 'statusReason'],
    MedicationRequest: ['medication', 'reported'],
    MedicationStatement: ['effective', 'medication'],
    MessageDefinition: ['event'],
    MessageHeader: ['event'],
    Observation: ['effective', 'value'],
    Patient: ['deceased', 'multipleBirth'],
    PlanDefinition: ['subject'],
    Procedure: ['performed'],
    Provenance: ['occurred'],
    ResearchDefinition: ['subject'],
    ResearchElementDefinition: ['subject'],
    RiskAssessment: ['occurrence'],
    ServiceRequest: ['asNeeded', 'occurrence', 'quantity'],
    SupplyDelivery: ['occurrence'],
    SupplyRequest: ['item', 'occurrence'],
  }),
);

/** Names that are a choice somewhere below a resource. Where such an element is there under its plain name, that one is meant. */
const nestedChoices = new Set(
  (
    'additive age allowed amount answer asNeeded author bounds characteristic chargeItem collected content date defaultValue definingSubstance definition detail ' +
    'diagnosis doseNumber dose due entity example fastingStatus fixed indication item location maxValue medication minValue minimumVolume name occurrence offset ' +
    'onset participantEffective pattern probability procedure product rate scheduled seriesDoses serviced source studyEffective subject substance target time ' +
    'timing topic used value when'
  ).split(' '),
);

/** Whether `element` may be a choice: directly in `resource`, or, where that is undefined, anywhere below. */
export function mayBeChoice(element: string, resource: string | undefined): boolean {
  return resource === undefined ? nestedChoices.has(element) : (resourceChoices.get(resource)?.includes(element) ?? false);
}

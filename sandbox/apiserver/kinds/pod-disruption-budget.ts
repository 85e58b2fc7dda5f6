import { invalid, type FieldError } from '../field-error.ts';
import { asObject, type Json, type JsonObject } from '../json.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType } from './builtin-type.ts';

const limit = (value: Json | undefined): string =>
  value === undefined ? 'N/A' : JSON.stringify(value).replaceAll('"', '');

export const podDisruptionBudgets = builtinType({
  model: 'V1PodDisruptionBudget',
  group: 'policy',
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  shortNames: ['pdb'],
  hasStatus: true,
  hasGeneration: true,
  unconditionalUpdate: false,
  columns: [
    nameColumn,
    column('Min Available', (object) => limit(asObject(object.spec).minAvailable)),
    column('Max Unavailable', (object) => limit(asObject(object.spec).maxUnavailable)),
    column(
      'Allowed Disruptions',
      (object) => Number(asObject(object.status).disruptionsAllowed ?? 0),
      'integer',
    ),
    ageColumn,
  ],
  validate: (object) => validateSpec(asObject(object.spec)),
});

function validateSpec(spec: JsonObject): FieldError[] {
  if (spec.minAvailable === undefined || spec.maxUnavailable === undefined) return [];
  return [invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')];
}

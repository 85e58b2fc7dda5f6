import { invalid, type FieldError } from '../field-error.ts';
import { asObject, asText, type JsonObject } from '../json.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType } from './builtin-type.ts';

export const leases = builtinType({
  model: 'V1Lease',
  group: 'coordination.k8s.io',
  plural: 'leases',
  kind: 'Lease',
  unconditionalUpdate: false,
  createOnUpdate: true,
  columns: [
    nameColumn,
    column('Holder', (object) => asText(asObject(object.spec).holderIdentity)),
    ageColumn,
  ],
  prepare: (object) => ({ ...object, spec: asObject(object.spec) }),
  validate: (object) => validateSpec(asObject(object.spec)),
});

function validateSpec(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec;
  if (typeof duration === 'number' && duration <= 0)
    errors.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  if (typeof transitions === 'number' && transitions < 0)
    errors.push(invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  return errors;
}

import { asList, asObject, asText } from '../json.ts';
import { labelFault } from '../metadata.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType } from './builtin-type.ts';

/** The finalizer in `spec.finalizers` that namespace deletion takes off last. */
export const NAMESPACE_FINALIZER = 'kubernetes';

export const namespaces = builtinType({
  model: 'V1Namespace',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  shortNames: ['ns'],
  hasStatus: true,
  serverFields: ['f:spec'],
  nameFault: labelFault,
  columns: [nameColumn, column('Status', (object) => asText(asObject(object.status).phase)), ageColumn],
  selectableFields: (object) => ({ 'status.phase': asText(asObject(object.status).phase) }),
  prepare: (object, old) => {
    const metadata = asObject(object.metadata);
    const labels = { ...asObject(metadata.labels), 'kubernetes.io/metadata.name': asText(metadata.name) };
    const finalizers = old ? asList(asObject(old.spec).finalizers) : [NAMESPACE_FINALIZER];
    return {
      ...object,
      metadata: { ...metadata, labels },
      spec: finalizers.length > 0 ? { finalizers } : {},
      status: { phase: 'Active', ...asObject(object.status) },
    };
  },
});

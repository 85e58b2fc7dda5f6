import { asList } from '../json.ts';
import { ageColumn, column, nameColumn } from '../table/columns.ts';
import { builtinType } from './builtin-type.ts';

export const serviceAccounts = builtinType({
  model: 'V1ServiceAccount',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  shortNames: ['sa'],
  returnsDeleted: true,
  columns: [nameColumn, column('Secrets', (object) => asList(object.secrets).length), ageColumn],
});

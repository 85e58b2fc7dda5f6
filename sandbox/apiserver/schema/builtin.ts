import * as models from '@kubernetes/client-node';
import { ANYTHING, type Schema } from './schema.ts';

/** What `x-kubernetes-*` says of a field in Kubernetes' own OpenAPI and the generated client leaves out. */
type Marks = Partial<Schema>;

interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

const mapList = (...keys: string[]): Marks => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
  'x-kubernetes-patch-strategy': 'merge',
  'x-kubernetes-patch-merge-key': keys[0] ?? '',
});
const SET: Marks = { 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' };

/** List and patch markers, from the `+listType` and `patchStrategy` comments of k8s.io/api and k8s.io/apimachinery. */
const FIELD_MARKS: Record<string, Record<string, Marks>> = {
  V1ObjectMeta: { ownerReferences: mapList('uid'), finalizers: SET },
  V1ServiceAccount: { secrets: mapList('name') },
  V1NamespaceStatus: { conditions: mapList('type') },
  V1CustomResourceDefinitionStatus: { conditions: mapList('type') },
  V1PodDisruptionBudgetStatus: { conditions: mapList('type') },
  V1DeploymentStatus: { conditions: mapList('type') },
  V1ReplicaSetStatus: { conditions: mapList('type') },
  V1ServiceStatus: { conditions: mapList('type') },
  V1ServiceSpec: { ports: mapList('port', 'protocol') },
  V1ServicePort: { protocol: { default: 'TCP' } },
  V1ValidatingAdmissionPolicySpec: { variables: mapList('name'), matchConditions: mapList('name') },
  V1ValidatingAdmissionPolicyStatus: { conditions: mapList('type') },
  V1ValidatingAdmissionPolicyBindingSpec: { validationActions: SET },
  V1PodStatus: { conditions: mapList('type'), podIPs: mapList('ip'), hostIPs: mapList('ip') },
  V1PodSpec: {
    containers: mapList('name'),
    initContainers: mapList('name'),
    ephemeralContainers: mapList('name'),
    volumes: mapList('name'),
    imagePullSecrets: mapList('name'),
    hostAliases: mapList('ip'),
    schedulingGates: mapList('name'),
    resourceClaims: mapList('name'),
    topologySpreadConstraints: mapList('topologyKey', 'whenUnsatisfiable'),
  },
  V1Container: {
    env: mapList('name'),
    ports: mapList('containerPort', 'protocol'),
    volumeMounts: mapList('mountPath'),
    volumeDevices: mapList('devicePath'),
  },
  V1ContainerPort: { protocol: { default: 'TCP' } },
};

/** Types marked `+structType=atomic`: owned and replaced as a whole. */
const ATOMIC_TYPES = new Set([
  'V1OwnerReference',
  'V1LocalObjectReference',
  'V1ObjectReference',
  'V1LabelSelector',
  'V1SecretKeySelector',
  'V1ConfigMapKeySelector',
  'V1ObjectFieldSelector',
  'V1ResourceFieldSelector',
  'V1RoleRef',
  'RbacV1Subject',
  'V1ParamKind',
  'V1ParamRef',
  'V1MatchResources',
  'V1NamedRuleWithOperations',
]);

/** Go types whose JSON form the generated client shows as something else. */
const SCALARS: Record<string, Schema> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  number: { type: 'integer' },
  Date: { type: 'string', format: 'date-time' },
  V1MicroTime: { type: 'string', format: 'date-time' },
  IntOrString: { 'x-kubernetes-int-or-string': true },
  Quantity: { type: 'string' },
  any: ANYTHING,
};

const META_TYPES =
  /^V1(ObjectMeta|OwnerReference|ManagedFieldsEntry|LabelSelector|LabelSelectorRequirement|Condition)$/;

const known = new Map<string, Schema>();

/** The schema of a built-in type, by its name in the generated client (`V1Secret`), whose models list every field. */
export function builtinSchema(typeName: string): Schema {
  const scalar = SCALARS[typeName];
  if (scalar) return scalar;
  const earlier = known.get(typeName);
  if (earlier) return earlier;
  const properties: Record<string, Schema> = {};
  const schema: Schema = {
    type: 'object',
    properties,
    definition: definitionName(typeName),
    ...(ATOMIC_TYPES.has(typeName) && { 'x-kubernetes-map-type': 'atomic' }),
  };
  known.set(typeName, schema);
  for (const { baseName, type, format } of attributesOf(typeName))
    properties[baseName] = { ...fieldOf(type, format), ...FIELD_MARKS[typeName]?.[baseName] };
  return schema;
}

function definitionName(typeName: string): string {
  const home = META_TYPES.test(typeName) ? 'io.k8s.apimachinery.pkg.apis.meta' : 'io.k8s.api';
  return `${home}.v1.${typeName.replace(/V1/, '')}`;
}

function attributesOf(typeName: string): Attribute[] {
  const model = (models as unknown as Record<string, { getAttributeTypeMap?: () => Attribute[] }>)[typeName];
  if (!model?.getAttributeTypeMap) throw new Error(`@kubernetes/client-node has no model named ${typeName}`);
  return model.getAttributeTypeMap();
}

function fieldOf(type: string, format: string): Schema {
  const list = /^Array<(.*)>$/.exec(type);
  if (list?.[1]) return { type: 'array', items: fieldOf(list[1], format) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map?.[1]) return { type: 'object', additionalProperties: fieldOf(map[1], format) };
  if (type === 'number')
    return format === 'double' ? { type: 'number', format } : { type: 'integer', format };
  if (type === 'string' && format === 'byte') return { type: 'string', format };
  return builtinSchema(type);
}

import { parseAllDocuments, stringify } from 'yaml';

/** An object of a manifest. */
interface Manifest {
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: { template?: { metadata: { labels?: Record<string, string> } } };
}

/** The namespace that the static manifest brings. */
export const NAMESPACE = 'registry-token-operator';
/** What is needed before others can be created, in this order. */
const FIRST = ['Namespace', 'CustomResourceDefinition', 'ServiceAccount', 'ClusterRole', 'Role'];

/**
 * A manifest for `kubectl apply --server-side`, from what `helm template` rendered: with its namespace, without what only Helm
 * reads, in an order of its own.
 */
export function installManifest(rendered: string, header: string): string {
  const objects = parseAllDocuments(rendered)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null)
    .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined)
    .map(withoutHelm);
  const ordered = [namespace(), ...objects].sort((a, b) => rank(a) - rank(b) || (idOf(a) < idOf(b) ? -1 : 1));
  const texts = ordered.map((object) => stringify(object, { lineWidth: 0 }));
  return `${header.replace(/^/gm, '# ')}\n---\n${texts.join('---\n')}`;
}

function namespace(): Manifest {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } } as Manifest;
}

const rank = ({ kind }: Manifest): number => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);

const idOf = ({ kind, metadata }: Manifest): string =>
  [kind, metadata.namespace ?? '', metadata.name].join('/');

function withoutHelm(object: Manifest): Manifest {
  const { labels, annotations, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: { ...metadata, ...kept('labels', labels), ...kept('annotations', annotations) },
  };
}

/** Labels or annotations other than Helm's own; nothing when none is left. */
function kept(field: string, entries: Record<string, string> = {}): Record<string, Record<string, string>> {
  const rest = Object.entries(entries).filter(
    ([key, value]) =>
      !key.startsWith('helm.sh/') && !(key === 'app.kubernetes.io/managed-by' && value === 'Helm'),
  );
  return rest.length > 0 ? { [field]: Object.fromEntries(rest) } : {};
}

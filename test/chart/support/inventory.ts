/** Kinds that the chart and the operator make, and those that Kubernetes makes for them; not Events, which go by themselves. */
const KINDS = [
  'deployments',
  'replicasets',
  'pods',
  'services',
  'endpoints',
  'serviceaccounts',
  'configmaps',
  'secrets',
  'networkpolicies',
  'leases',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
  'customresourcedefinitions',
];
/** Kinds that are there once their CRDs are. */
const OWN_KINDS = ['registryaccounts.pullsecrets.dev', 'registrytokens.pullsecrets.dev'];
/** Kubernetes makes these by itself: in every namespace some time after it, and for every node some time after it started. */
const ITS_OWN =
  /^(ServiceAccount|Secret) \S+\/default(-token-\w+)?$|^ConfigMap \S+\/kube-root-ca\.crt$|^Lease kube-node-lease\//;

/**
 * All objects of a cluster, as `Kind namespace/name` or `Kind name`, sorted; whatever their labels.
 * @param kubectl runs it and gives what it prints
 */
export async function inventory(kubectl: (args: readonly string[]) => Promise<string>): Promise<string[]> {
  const columns = 'custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name';
  const defined = await kubectl(['get', 'customresourcedefinitions', '--output', 'name']);
  const kinds = [...KINDS, ...OWN_KINDS.filter((kind) => defined.includes(kind))];
  const list = await kubectl(['get', kinds.join(), '--all-namespaces', '--no-headers', '--output', columns]);
  return list
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/))
    .map(([kind, namespace, name]) => `${kind} ${namespace === '<none>' ? '' : `${namespace}/`}${name}`)
    .filter((line) => !ITS_OWN.test(line))
    .sort();
}

/** Lines of an inventory that an earlier one does not have. */
export function since(before: readonly string[], now: readonly string[]): string[] {
  return now.filter((line) => !before.includes(line));
}

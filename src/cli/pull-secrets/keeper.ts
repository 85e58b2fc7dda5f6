import { MANAGED_BY_LABEL, OPERATOR } from '../../api/names.ts';
import type { ObjectMeta } from '../../common/objects.ts';
import { belongsTo } from '../../token/secret/secret.ts';

/** Who writes a Secret. */
export interface Keeper {
  /** In words, such as `External Secrets` or `Helm`. */
  name: string;
  /** What of theirs it belongs to, such as `ExternalSecret registry`; empty where nothing tells. */
  object: string;
  /**
   * `Rotates`: issues credentials, or brings those of a store, and so new ones by itself. `Copies`: writes what another Secret or a
   * manifest holds, and that only. `Unknown`:
   * a controller that is not known here.
   */
  does: 'Rotates' | 'Copies' | 'Unknown';
}

/** What another program leaves on the Secrets that it writes; any one of them is enough. */
interface Mark {
  name: string;
  does: 'Rotates' | 'Copies';
  /** API group of its controller in the owner references. */
  owner?: string;
  /** A label, and its value where others use the key too. */
  label?: [key: string, value?: string];
  /** An annotation; its value is what the Secret belongs to. */
  annotation?: string;
}

const ARGO_CD = { name: 'Argo CD', does: 'Copies' } as const;
const FLUX = { name: 'Flux', does: 'Copies' } as const;
/** Helm's annotation of everything that it installs: the name of the release. */
export const HELM_RELEASE = 'meta.helm.sh/release-name';
const HELM = { name: 'Helm', does: 'Copies' } as const;
const KYVERNO = { name: 'Kyverno', does: 'Copies' } as const;
const OPENSHIFT = { name: 'OpenShift', does: 'Rotates' } as const;
const EXTERNAL_SECRETS = { name: 'External Secrets', does: 'Rotates' } as const;
const VAULT = { name: 'Vault Secrets Operator', does: 'Rotates' } as const;

/** In this order: what rotates comes before what delivers manifests, since Argo CD labels ExternalSecrets' Secrets too. */
const MARKS: readonly Mark[] = [
  { ...EXTERNAL_SECRETS, owner: 'external-secrets.io' },
  { ...EXTERNAL_SECRETS, label: ['reconcile.external-secrets.io/managed'] },
  { ...VAULT, owner: 'secrets.hashicorp.com' },
  { ...VAULT, label: [MANAGED_BY_LABEL, 'hashicorp-vso'] },
  { ...OPENSHIFT, annotation: 'openshift.io/internal-registry-auth-token.service-account' },
  { ...OPENSHIFT, annotation: 'openshift.io/token-secret.name' },
  { name: '1Password', does: 'Rotates', owner: 'onepassword.com' },
  { name: 'Sealed Secrets', does: 'Copies', owner: 'bitnami.com' },
  { name: 'Reflector', does: 'Copies', annotation: 'reflector.v1.k8s.emberstack.com/reflects' },
  { name: 'kubernetes-replicator', does: 'Copies', annotation: 'replicator.v1.mittwald.de/replicate-from' },
  { name: 'kubernetes-replicator', does: 'Copies', annotation: 'replicator.v1.mittwald.de/replicated-by' },
  { name: 'registry-creds', does: 'Copies', owner: 'ops.alexellis.io' },
  { ...KYVERNO, label: ['generate.kyverno.io/policy-name'] },
  { ...KYVERNO, label: [MANAGED_BY_LABEL, 'kyverno'] },
  { ...HELM, annotation: HELM_RELEASE },
  { ...HELM, label: [MANAGED_BY_LABEL, 'Helm'] },
  { ...ARGO_CD, annotation: 'argocd.argoproj.io/tracking-id' },
  { ...ARGO_CD, label: ['argocd.argoproj.io/instance'] },
  { ...FLUX, label: ['kustomize.toolkit.fluxcd.io/name'] },
  { ...FLUX, label: ['helm.toolkit.fluxcd.io/name'] },
];

/** A RegistryToken that wants a Secret of this name. */
export interface SecretOwner {
  name: string;
  uid: string;
}

/**
 * Who writes a Secret, as its owner references, labels and annotations tell.
 * @param owners that there are: a copy of the operator's Secret, and one that outlived its RegistryToken, bear its marks too
 * @returns undefined where nobody does: it was made by hand, or by a script
 */
export function keeperOf(metadata: ObjectMeta, owners: readonly SecretOwner[]): Keeper | undefined {
  const owner = owners.find(({ uid }) => belongsTo({ metadata }, uid));
  if (owner) return { name: OPERATOR, object: `RegistryToken ${owner.name}`, does: 'Rotates' };
  const controller = metadata.ownerReferences?.find((each) => each.controller === true);
  return (
    markedBy(metadata) ??
    (controller && {
      name: controller.kind,
      object: `${controller.kind} ${controller.name}`,
      does: 'Unknown',
    })
  );
}

function markedBy({ labels = {}, annotations = {}, ownerReferences = [] }: ObjectMeta): Keeper | undefined {
  for (const { name, does, owner, label: [key, value] = [], annotation } of MARKS) {
    const reference = ownerReferences.find(({ apiVersion }) => isOfGroup(apiVersion, owner));
    if (reference) return { name, does, object: `${reference.kind} ${reference.name}` };
    if (key !== undefined && Object.hasOwn(labels, key) && (value ?? labels[key]) === labels[key])
      return { name, does, object: '' };
    if (annotation !== undefined && Object.hasOwn(annotations, annotation))
      return { name, does, object: annotations[annotation] ?? '' };
  }
  return undefined;
}

/** A group, and those that are below it. */
function isOfGroup(apiVersion: string, owner: string | undefined): boolean {
  const [group = ''] = apiVersion.split('/');
  return owner !== undefined && (group === owner || group.endsWith(`.${owner}`));
}

import type { ObjectMeta } from '../common/objects.ts';
import type { PullSecret } from './service-accounts.ts';

/** What matters here of a pod. */
export interface Pod {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: {
    serviceAccountName?: string;
    imagePullSecrets?: PullSecret[];
    containers: Container[];
    initContainers?: Container[];
  };
  status?: {
    phase?: string;
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

interface Container {
  name: string;
  image?: string;
}

export interface ContainerStatus {
  name: string;
  state?: { waiting?: { reason?: string }; running?: object; terminated?: { exitCode: number } };
}

/** A Secret that has become good for pulling with. */
export interface Cure {
  secret: string;
  /** Hosts it has a credential for; `*` may stand for the first label. */
  hosts: readonly string[];
  /** Since when; milliseconds since 1970. */
  since: number;
  /** The ServiceAccounts that have it among their pull secrets now, and what they have besides. */
  serviceAccounts: ReadonlyMap<string, readonly PullSecret[]>;
}

/** Why kubelet's image manager does not start a container (pkg/kubelet/images/types.go). */
const PULL_FAILED = ['ErrImagePull', 'ImagePullBackOff'];
/** A container that waits for these has nothing wrong with it. */
const NOT_YET = ['ContainerCreating', 'PodInitializing'];
const DEFAULT_HOST = 'docker.io';

/**
 * Whether another pod in this one's place could pull what this one could not: it failed at nothing but images on the
 * Secret's hosts, was created before the Secret was good, would have the Secret, and has a controller that replaces it.
 * Static pods have their node as controller, which an eviction does not concern.
 */
export function isCurable(pod: Pod, cure: Cure): boolean {
  const { metadata, status } = pod;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return (
    metadata.deletionTimestamp === undefined &&
    controller !== undefined &&
    controller.kind !== 'Node' &&
    status?.phase === 'Pending' &&
    Date.parse(metadata.creationTimestamp) <= cure.since &&
    wouldHave(pod, cure) &&
    onlyPullsFailed(pod, cure.hosts)
  );
}

/**
 * Whether a pod made now from the same template would have the Secret. It has it if this one has. If not, admission gives it
 * the pull secrets of its ServiceAccount, provided that the template has none of its own: then this one has what the
 * ServiceAccount has without the Secret.
 */
function wouldHave({ spec }: Pod, { secret, serviceAccounts }: Cure): boolean {
  const own = (spec.imagePullSecrets ?? []).map(({ name }) => name);
  if (own.includes(secret)) return true;
  const others = serviceAccounts.get(spec.serviceAccountName ?? 'default');
  return (
    others !== undefined && others.length === own.length && others.every(({ name }, at) => name === own[at])
  );
}

function onlyPullsFailed({ spec, status = {} }: Pod, hosts: readonly string[]): boolean {
  const images = new Map(
    [...(spec.initContainers ?? []), ...spec.containers].map((each) => [each.name, each.image]),
  );
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const verdicts = statuses.map(({ name, state = {} }) => {
    const { waiting, terminated } = state;
    if (terminated) return terminated.exitCode === 0 ? 'well' : 'ill';
    if (!waiting || NOT_YET.includes(waiting.reason ?? '')) return 'well';
    if (!PULL_FAILED.includes(waiting.reason ?? '')) return 'ill';
    const host = imageHost(images.get(name) ?? '');
    return hosts.some((pattern) => matches(pattern, host)) ? 'curable' : 'ill';
  });
  return verdicts.includes('curable') && !verdicts.includes('ill');
}

/** As kubelet does: `*` for the first label stands for any one. */
function matches(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}

/** The registry in an image's name, as docker's reference grammar has it: before the first slash, if it looks like a host. */
export function imageHost(image: string): string {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  return /[.:]/.test(first) || first === 'localhost' ? first : DEFAULT_HOST;
}

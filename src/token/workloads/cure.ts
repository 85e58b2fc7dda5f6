import { TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import type { KubeObject } from '../../common/objects.ts';
import { expiryOf } from '../lifecycle/schedule.ts';
import { belongsTo } from '../secret/secret.ts';
import { isFrom } from './images.ts';
import { containersOf, couldNotPull, statusesOf, type Pod } from './pods.ts';
import type { Links, PullSecret } from './service-accounts.ts';

/** A ServiceAccount got a Secret. */
export interface Linking {
  /** What it had before. */
  before: Links;
  /** When; milliseconds since 1970. */
  at: number;
}

/** A Secret that pods came too early for. */
export interface Cure {
  secret: string;
  /** Hosts it has a credential for; `*` may stand for the first label. */
  hosts: readonly string[];
  /** When it became good to pull with, milliseconds since 1970; undefined when it has been so all the time. */
  goodSince: number | undefined;
  /** How a ServiceAccount got it, if it still has it. */
  linkingsOf: (serviceAccount: string) => readonly Linking[];
}

/** A container that waits for these has nothing wrong with it. */
const NOT_YET = ['ContainerCreating', 'PodInitializing'];

/**
 * Whether a RegistryToken's Secret holds its token and the token lives, as far as the Secret's metadata tells.
 * @param now milliseconds since 1970
 */
export function holdsLiveToken(
  secret: Pick<KubeObject, 'metadata'> | undefined,
  token: RegistryToken,
  now: number,
): boolean {
  const record = token.status?.token;
  if (!record || !secret || !belongsTo(secret, token.metadata.uid)) return false;
  return secret.metadata.annotations?.[TOKEN_ID_ANNOTATION] === record.id && expiryOf(record) > now;
}

/**
 * Whether another pod in this one's place could pull what this one could not: it failed at nothing but images on the
 * Secret's hosts, came too early for the Secret, and has a controller that replaces it. Static pods have their node as
 * controller, which an eviction does not concern.
 */
export function isCurable(pod: Pod, cure: Cure): boolean {
  const { metadata, status } = pod;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return (
    metadata.deletionTimestamp === undefined &&
    controller !== undefined &&
    controller.kind !== 'Node' &&
    status?.phase === 'Pending' &&
    cameTooEarly(pod, cure) &&
    onlyPullsFailed(pod, cure.hosts)
  );
}

/**
 * Whether a pod had to do without the Secret, and one made now from the same template would have it: it names the Secret, and
 * came before that was good; or it has what admission gave it, the pull secrets of its ServiceAccount, from before that got
 * the Secret.
 */
function cameTooEarly({ metadata, spec }: Pod, { secret, goodSince = -Infinity, linkingsOf }: Cure): boolean {
  const created = Date.parse(metadata.creationTimestamp);
  const own = spec.imagePullSecrets ?? [];
  if (own.some(({ name }) => name === secret)) return created <= goodSince;
  const { serviceAccountName = 'default' } = spec;
  return linkingsOf(serviceAccountName).some(({ before, at }) => created <= at && couldBeOf(before, own));
}

/**
 * Whether a ServiceAccount may have given a pod these pull secrets, going by what it had later. Those that RegistryTokens put
 * there came one by one, so any of them may be missing.
 */
function couldBeOf({ entries, record }: Links, own: readonly PullSecret[]): boolean {
  const late = new Set(Object.values(record));
  let matched = 0;
  for (const { name } of entries) {
    if (matched < own.length && own[matched]?.name === name) matched++;
    else if (!late.has(name ?? '')) return false;
  }
  return matched === own.length;
}

function onlyPullsFailed({ spec, status }: Pod, hosts: readonly string[]): boolean {
  const images = new Map(containersOf(spec).map((each) => [each.name, each.image]));
  const verdicts = statusesOf(status).map((container) => {
    const { name, state = {} } = container;
    const { waiting, terminated } = state;
    if (terminated) return terminated.exitCode === 0 ? 'well' : 'ill';
    if (!waiting || NOT_YET.includes(waiting.reason ?? '')) return 'well';
    return couldNotPull(container) && isFrom(images.get(name) ?? '', hosts) ? 'curable' : 'ill';
  });
  return verdicts.includes('curable') && !verdicts.includes('ill');
}

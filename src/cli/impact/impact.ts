import { shorten } from '../../api/syntax/text.ts';
import { isFrom } from '../../token/workloads/images.ts';
import { containersOf, type Container, type Pod } from '../../token/workloads/pods.ts';
import {
  environmentSecrets,
  needsOf,
  usesSecret,
  volumeSecrets,
  waitsForSecret,
  type PullSecretHosts,
} from '../../token/workloads/secret-use.ts';
import type { ServiceAccount } from '../../token/workloads/service-accounts.ts';
import { workloadOf } from './owner.ts';

/** What becomes of a workload when the Secret gets another token. */
export type WhenRotated =
  /** The next pull takes the new token. */
  | 'NextPull'
  /** kubelet renews the files that it mounts. */
  | 'FilesFollow'
  /** Its environment keeps the previous token. */
  | 'RecreatePods';

/** What becomes of a workload when the token is revoked and no other takes its place. Running containers go on. */
export type WhenRevoked =
  /** Its images are never pulled. */
  | 'GoesOn'
  /** New containers start only where the node has the image. */
  | 'NeedsImageOnNode'
  /** New containers don't start, nor do those that restart. */
  | 'PullsFail'
  /** The registry refuses what it has of the Secret in a file or its environment. */
  | 'LosesAccess';

/** Pods with one owner that depend on a Secret. */
export interface DependentWorkload {
  kind: string;
  name: string;
  pods: number;
  /** Of these, those that wait for the Secret, or for a token in it that works. */
  waiting: number;
  /** How they came to the Secret: `imagePullSecrets`, `volume`, `environment`, or `ServiceAccount` and its name. */
  via: readonly string[];
  /** Those from the Secret's hosts. */
  images: readonly string[];
  /** Other Secrets that kubelet may pull the same images with. */
  otherSecrets: readonly string[];
  whenRotated: readonly WhenRotated[];
  whenRevoked: readonly WhenRevoked[];
}

type Growing = {
  [K in keyof DependentWorkload]: DependentWorkload[K] extends readonly (infer T)[]
    ? Set<T>
    : DependentWorkload[K];
};

const MAX_WORKLOADS = 1_000;
/** Of images and Secrets of one workload: whoever makes pods can name any number. */
const MAX_NAMES = 32;
/** Characters of an image's name. */
const MAX_NAME = 512;

/** Gathers the workloads that depend on a Secret from the pods of its namespace. */
export class Impact {
  readonly #secret: PullSecretHosts;
  readonly #givers: ReadonlyMap<string, string>;
  readonly #workloads = new Map<string, Growing>();
  /** Pods of workloads that are not told, since there are too many. */
  #morePods = 0;

  /** @param serviceAccounts of the namespace that name the Secret */
  constructor(secret: PullSecretHosts, serviceAccounts: readonly ServiceAccount[]) {
    this.#secret = secret;
    this.#givers = new Map(
      serviceAccounts.map(({ metadata, imagePullSecrets }) => [metadata.name, namesKey(imagePullSecrets)]),
    );
  }

  add(pod: Pod): void {
    const needs = needsOf(pod);
    if (!needs || !usesSecret(needs, this.#secret)) return;
    const owner = workloadOf(pod.metadata);
    const key = `${owner.kind}/${owner.name}`;
    const workload = this.#workloads.get(key) ?? newWorkload(owner);
    if (this.#workloads.size >= MAX_WORKLOADS && !this.#workloads.has(key)) {
      this.#morePods++;
      return;
    }
    this.#workloads.set(key, workload);
    workload.pods++;
    if (waitsForSecret(needs, this.#secret)) workload.waiting++;
    const { name } = this.#secret;
    const pulls = usesSecret({ ...needs, mounted: [] }, this.#secret);
    const containers = containersOf(pod.spec);
    const pulled = pulls ? containers.filter((each) => this.#isDependent(each)) : [];
    addSome(
      workload.images,
      pulled.map(({ image = '' }) => shorten(image, MAX_NAME)),
    );
    addSome(workload.otherSecrets, pulls ? needs.pullSecrets.filter((each) => each !== name) : []);
    const inVolume = volumeSecrets(pod.spec).includes(name);
    const inEnvironment = containers.some((each) => environmentSecrets(each).includes(name));
    const { via, whenRotated, whenRevoked } = workload;
    if (pulls) {
      via.add(this.#giver(pod));
      whenRotated.add('NextPull');
      whenRevoked.add(whenPulling(pulled));
    }
    if (inVolume) {
      via.add('volume');
      whenRotated.add('FilesFollow');
    }
    if (inEnvironment) {
      via.add('environment');
      whenRotated.add('RecreatePods');
    }
    if (inVolume || inEnvironment) whenRevoked.add('LosesAccess');
  }

  /** The workloads, in the order of their kinds and names. */
  get workloads(): DependentWorkload[] {
    return [...this.#workloads.values()]
      .map((each) => ({
        ...each,
        via: [...each.via].sort(),
        images: [...each.images].sort(),
        otherSecrets: [...each.otherSecrets].sort(),
        whenRotated: [...each.whenRotated],
        whenRevoked: [...each.whenRevoked],
      }))
      .sort((a, b) => compare(a.kind, b.kind) || compare(a.name, b.name));
  }

  /** Pods that depend on the Secret too, of more workloads than are told. */
  get morePods(): number {
    return this.#morePods;
  }

  #isDependent({ image }: Container): boolean {
    const { hosts } = this.#secret;
    return image !== undefined && (hosts === undefined || isFrom(image, hosts));
  }

  /** Admission gives a pod the list of its ServiceAccount, whole, where it has none of its own. */
  #giver({ spec: { serviceAccountName = 'default', imagePullSecrets } }: Pod): string {
    const given = this.#givers.get(serviceAccountName) === namesKey(imagePullSecrets);
    return given ? `ServiceAccount ${serviceAccountName}` : 'imagePullSecrets';
  }
}

function newWorkload(owner: Pick<Growing, 'kind' | 'name'>): Growing {
  return {
    ...owner,
    pods: 0,
    waiting: 0,
    via: new Set(),
    images: new Set(),
    otherSecrets: new Set(),
    whenRotated: new Set(),
    whenRevoked: new Set(),
  };
}

/** What matters of containers that pull from the Secret's hosts is the one that needs it most. An image that is mounted counts as needed on the node. */
function whenPulling(containers: readonly Container[]): WhenRevoked {
  const policies = containers.map(policyOf);
  if (policies.includes('Always')) return 'PullsFail';
  return policies.length > 0 && policies.every((policy) => policy === 'Never')
    ? 'GoesOn'
    : 'NeedsImageOnNode';
}

/** The API server fills it in, so that it is there. */
function policyOf({ imagePullPolicy }: Container): string {
  return imagePullPolicy ?? 'IfNotPresent';
}

function addSome<T>(to: Set<T>, values: readonly T[]): void {
  for (const value of values) if (to.size < MAX_NAMES) to.add(value);
}

const namesKey = (secrets: readonly { name?: string }[] = []): string =>
  JSON.stringify(secrets.map(({ name }) => name));
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

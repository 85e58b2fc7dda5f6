import { PODS } from '../../src/kube/client/resources.ts';
import type { Pod } from '../../src/token/workloads/pods.ts';
import type { Dice } from './dice.ts';
import { TEAMS, type World } from './world.ts';

const NAMES = ['p-1', 'p-2', 'p-3', 'p-4'];
const STATES = [
  { phase: 'Pending', reason: 'ImagePullBackOff' },
  { phase: 'Pending', reason: 'ContainerCreating' },
  { phase: 'Running', reason: undefined },
  { phase: 'Succeeded', reason: undefined },
] as const;

/** What controllers and kubelet do with pods. */
export class Pods {
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** Creates one that names a Secret, deletes one, or tells how it is. @param secrets names that RegistryTokens may have */
  async change(secrets: readonly string[]): Promise<void> {
    const dice = this.#dice;
    const name = { namespace: dice.pick(TEAMS), name: dice.pick(NAMES) };
    const isThere = all(this.#world).some(
      ({ metadata }) => metadata.namespace === name.namespace && metadata.name === name.name,
    );
    if (isThere && dice.chance(0.3)) return this.#world.user.delete(PODS, name);
    if (!isThere) await this.#create(name, dice.pick(secrets));
    const { phase, reason } = dice.pick(STATES);
    const state = reason === undefined ? { running: {} } : { waiting: { reason } };
    const status = { name: 'main', image: 'x', imageID: '', ready: false, restartCount: 0, state };
    const patch = { status: { phase, containerStatuses: [status] } };
    await this.#world.user.mergePatch(PODS, name, patch, { subresource: 'status' });
  }

  async #create(metadata: { namespace: string; name: string }, secret: string): Promise<void> {
    const hosts = this.#world.tokens().flatMap(({ status }) => status?.host ?? []);
    const image = `${this.#dice.pick([...hosts, 'elsewhere.test'])}/app`;
    const spec = { containers: [{ name: 'main', image }], imagePullSecrets: [{ name: secret }] };
    await this.#world.user.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
  }
}

/** Statuses that say something else of pods than there is; a line for each. */
export function podComplaints(world: World): string[] {
  return world.tokens().flatMap(({ metadata, spec, status = {} }) => {
    const { host, pods } = status;
    if (host === undefined || !world.hasWorkloads) return [];
    const hosts = [host, ...(spec.secret?.extraHosts ?? [])];
    const using = all(world).filter(
      (pod) =>
        pod.metadata.namespace === metadata.namespace &&
        pod.metadata.deletionTimestamp === undefined &&
        pod.status?.phase !== 'Succeeded' &&
        pod.spec.imagePullSecrets?.some(({ name }) => name === (spec.secret?.name ?? metadata.name)) &&
        hosts.some((each) => pod.spec.containers[0]?.image?.startsWith(`${each}/`)),
    );
    const waiting = using.filter(
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff',
    );
    const expected = JSON.stringify({ using: using.length, waiting: waiting.length });
    if (JSON.stringify(pods) === expected) return [];
    return [`${metadata.namespace}/${metadata.name} counts pods ${JSON.stringify(pods)}, not ${expected}`];
  });
}

const all = (world: World): Pod[] => world.server.store.list('pods') as unknown as Pod[];

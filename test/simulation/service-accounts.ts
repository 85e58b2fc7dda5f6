import { SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import { linksOf, type ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import type { Dice } from './dice.ts';
import { TEAMS, type World } from './world.ts';

const NAMES = ['default', 'builder', 'ci-1', 'ci-2'];
/** What RegistryTokens ask for. */
const ASKED = [[], ['default'], ['builder', 'ci-1'], ['ci-*'], ['*'], ['default', '*-2']];
/** In the pull secrets of every ServiceAccount: its author put it there. */
const FOREIGN = { name: 'others' };

/** What people do with ServiceAccounts. */
export class ServiceAccounts {
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** What a RegistryToken may have in `spec.serviceAccounts`. */
  asked(): string[] {
    return this.#dice.pick(ASKED);
  }

  /** Creates or deletes one, or writes its list as if nobody else did. */
  async change(): Promise<void> {
    const namespace = this.#dice.pick(TEAMS);
    const name = this.#dice.pick(NAMES);
    const isThere = all(this.#world).some(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
    );
    const { user } = this.#world;
    const imagePullSecrets = [FOREIGN];
    if (!isThere)
      await user.create(SERVICE_ACCOUNTS, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace, name },
        imagePullSecrets,
      });
    else if (this.#dice.chance(0.4)) await user.delete(SERVICE_ACCOUNTS, { namespace, name });
    else await user.mergePatch(SERVICE_ACCOUNTS, { namespace, name }, { imagePullSecrets });
  }
}

/**
 * What ServiceAccounts have, or lack, that they must not once all is calm; a line for each.
 */
export function linkComplaints(world: World): string[] {
  return all(world).flatMap((account) => {
    const { namespace, name } = account.metadata;
    const { entries, record } = linksOf(account);
    const has = new Set(entries.map((entry) => entry.name));
    const wanted = new Map(
      world
        .tokens()
        .filter(
          ({ metadata, spec, status }) =>
            metadata.namespace === namespace && status?.secretRef && spec.serviceAccounts?.some(means(name)),
        )
        .map(({ metadata, status }) => [metadata.uid, status?.secretRef?.name]),
    );
    const title = `ServiceAccount ${namespace}/${name}`;
    return [
      ...(has.has(FOREIGN.name) ? [] : [`${title} lost the entry of its author`]),
      ...[...wanted].flatMap(([uid, secret]) =>
        has.has(secret) ? [] : [`${title} lacks Secret ${secret} of ${uid}`],
      ),
      ...Object.entries(record).flatMap(([uid, secret]) =>
        wanted.get(uid) === secret ? [] : [`${title} still has Secret ${secret} of ${uid}`],
      ),
    ];
  });
}

const means =
  (name: string) =>
  (entry: string): boolean =>
    new RegExp(`^${entry.replaceAll('*', '.*')}$`).test(name);

const all = (world: World): ServiceAccount[] =>
  world.server.store.list('serviceaccounts') as unknown as ServiceAccount[];

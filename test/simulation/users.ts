import { API_VERSION, GROUP, ROTATE_ANNOTATION, TOKEN_ID_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { NAMESPACES, SECRETS } from '../../src/kube/client/resources.ts';
import { PAYLOAD_KEY, SECRET_TYPE } from '../../src/token/secret/secret.ts';
import type { SecretObject } from '../support/world.ts';
import { Backups } from './backups.ts';
import { ClusterTokenDeeds } from './cluster-tokens.ts';
import type { Dice } from './dice.ts';
import { ACCOUNT_NAMES, ACCOUNTS, API_KEYS, type AccountName } from './registries/api-keys.ts';
import { LAB, REGIONS } from './registries/regions.ts';
import { Moves } from './moves.ts';
import { Pods } from './pods.ts';
import { Removals } from './removals.ts';
import { ServiceAccounts } from './service-accounts.ts';
import { fitting, someScope, someWishes, type Change } from './wishes.ts';
import { OPERATOR_NAMESPACE, TEAMS, type World } from './world.ts';

const NAMES = ['app', 'web', 'job'];
const SECRET_NAMES = ['app', 'web', 'pull', 'shared'];
const GRACE_PERIODS = ['0s', '30s', '10m', '1h'];
/** At most so many RegistryTokens at a time. */
const MOST = 4;

export type Deed = keyof Users['deeds'];

/** What people, and programs other than the operator, do. */
export class Users {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #removals: Removals;
  readonly #backups: Backups;
  readonly #moves: Moves;
  readonly #clusterTokens: ClusterTokenDeeds;
  readonly #serviceAccounts: ServiceAccounts;
  readonly #pods: Pods;
  #changes = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#removals = new Removals(world, dice.fork());
    this.#backups = new Backups(world);
    this.#moves = new Moves(world, dice.fork());
    this.#clusterTokens = new ClusterTokenDeeds(world, world.clusterTokenDice, () => this.#someSpec());
    this.#serviceAccounts = new ServiceAccounts(world, world.workloadDice.fork());
    this.#pods = new Pods(world, world.workloadDice.fork());
  }

  /** Does one thing, any if not told which. What the API server refuses is not done. */
  async act(deed: Deed = this.#dice.weighted(this.#choices())): Promise<void> {
    this.#world.journal.note(() => `users: ${deed}`);
    try {
      await this.deeds[deed]();
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      this.#world.journal.note(() => `users: ${error.message}`);
    }
  }

  #choices(): [number, Deed][] {
    const lasting = this.#lasting();
    const backups = this.#backups.all;
    const isMissing = backups.some((each) => this.#backups.hasMissing(each));
    const { hasClusterTokens } = this.#world;
    const hasAny = hasClusterTokens && !this.#clusterTokens.none;
    if (lasting.length === 0)
      return [
        [1, 'create'],
        [isMissing ? 1 : 0, 'recreate'],
        [hasClusterTokens ? 2 : 0, 'createClusterToken'],
        [hasClusterTokens ? 1 : 0, 'labelNamespace'],
      ];
    const { meddling, registryFailure, apiFailure, skew, staleness, crash, webhooks, restores } =
      this.#world.climate;
    return [
      [lasting.length < MOST ? 8 : 0, 'create'],
      [3, 'delete'],
      [5, 'changeRelevant'],
      [4, 'changeIrrelevant'],
      [4, 'rotate'],
      [1.5, 'suspend'],
      [1.5, 'renameSecret'],
      [this.#world.hasWorkloads ? 3 : 0, 'changeServiceAccounts'],
      [this.#world.hasWorkloads ? 3 : 0, 'changePod'],
      [1, 'rotateAccount'],
      [0.7, 'changeKey'],
      [0.5, 'loseKey'],
      [0.5, 'loseAccount'],
      // What matters is rare by itself: that the answer to a mint is lost before its place is gone.
      [this.#removals.open.length > 0 ? 3 : 0.3, 'removeAccount'],
      [this.#removals.open.some(({ region }) => region === LAB) ? 9 : 0.3, 'removeRegion'],
      [2, 'moveRegion'],
      [0.5, 'moveBack'],
      [0.7, 'handOver'],
      [crash > 0 ? 2 : 0, 'kill'],
      [meddling ? 3 : 0, 'editSecret'],
      [meddling ? 2 : 0, 'deleteSecret'],
      [meddling ? 1 : 0, 'createForeignSecret'],
      [meddling ? 0.5 : hasClusterTokens ? 1 : 0, 'deleteNamespace'],
      [meddling ? 0.7 : 0, 'takeTokenAway'],
      [registryFailure > 0 ? 2 : 0, 'registryOutage'],
      [apiFailure > 0 ? 1 : 0, 'apiOutage'],
      [staleness > 0 ? 1 : 0, 'breakWatches'],
      [skew > 0 ? 2 : 0, 'clockJump'],
      [webhooks && !this.#world.webhooks.isActive ? 4 : 0, 'registerWebhook'],
      [restores ? (backups.length === 0 ? 12 : 2) : 0, 'backUp'],
      [backups.length > 0 ? 5 : 0, 'rollBack'],
      [isMissing ? 6 : 0, 'recreate'],
      [hasClusterTokens ? 4 : 0, 'createClusterToken'],
      [hasAny ? 4 : 0, 'changeClusterToken'],
      [hasAny ? 1.5 : 0, 'deleteClusterToken'],
      [hasAny ? 2 : 0, 'rotateClusterToken'],
      [hasAny ? 5 : 0, 'labelNamespace'],
    ];
  }

  readonly deeds = {
    create: async (): Promise<void> => {
      const namespace = this.#dice.pick(TEAMS);
      const name = this.#dice.pick(NAMES);
      const { metadata } = await this.#world.user.create(REGISTRY_TOKENS, {
        apiVersion: API_VERSION,
        kind: 'RegistryToken',
        metadata: { namespace, name },
        spec: this.#someSpec(),
      });
      // A cluster that was restored from this one's backup has RegistryTokens of the same uids.
      const twin = `[${GROUP}:restored-cluster:${metadata.uid}:1]`;
      if (this.#dice.chance(0.3))
        await this.#world.registries.addTokensOfOthers([twin], (act) => this.#world.as('user', act));
    },

    delete: async (): Promise<void> => {
      const { namespace, name } = this.#someToken().metadata;
      await this.#world.user.delete(REGISTRY_TOKENS, { namespace, name });
    },

    changeRelevant: async (): Promise<void> => {
      const { metadata, spec } = this.#someToken();
      const { namespace, name } = metadata;
      const patch = { spec: this.#relevantChange(spec) };
      await this.#world.user.mergePatch(REGISTRY_TOKENS, { namespace, name }, patch);
    },

    changeIrrelevant: (): Promise<void> =>
      this.#patch(
        this.#dice.pick<RegistryTokenSpec>([
          { description: `change ${++this.#changes}` },
          { rotation: { gracePeriod: this.#dice.pick(GRACE_PERIODS) } },
          { rotation: { policy: this.#dice.pick(['Auto', 'Manual']) } },
          { secret: { extraHosts: [`mirror-${this.#dice.between(1, 3)}.test`] } },
          { secret: { labels: { team: this.#dice.pick(['red', 'blue']) } } },
          { deletionPolicy: this.#dice.pick(['Delete', 'Retain']) },
          ...(this.#world.hasWorkloads ? [{ serviceAccounts: this.#serviceAccounts.asked() }] : []),
        ]),
      ),

    changeServiceAccounts: (): Promise<void> => this.#serviceAccounts.change(),

    changePod: (): Promise<void> => this.#pods.change(SECRET_NAMES),

    suspend: (): Promise<void> => this.#patch({ suspend: this.#dice.chance(0.5) }),

    renameSecret: (): Promise<void> => this.#patch({ secret: { name: this.#dice.pick(SECRET_NAMES) } }),

    rotate: async (): Promise<void> => {
      const { namespace, name } = this.#someToken().metadata;
      const annotations = { [ROTATE_ANNOTATION]: `request ${++this.#changes}` };
      await this.#world.user.mergePatch(REGISTRY_TOKENS, { namespace, name }, { metadata: { annotations } });
    },

    rotateAccount: async (): Promise<void> => {
      const name = this.#dice.pick(ACCOUNT_NAMES);
      const spec = { rotation: { requestedAt: `request ${++this.#changes}` } };
      await this.#world.user.mergePatch(REGISTRY_ACCOUNTS, { name }, { spec });
    },

    changeKey: async (): Promise<void> => {
      const good = this.#dice.chance(0.7);
      const key = this.#dice.pick(API_KEYS.filter(({ accountId }) => accountId === 'account-one')).key;
      this.#world.weather.trouble();
      await this.#world.setKey('default', good ? key : 'no-good-key-at-all');
    },

    loseKey: async (): Promise<void> => {
      const name = this.#someAccount();
      await this.#world.user.delete(SECRETS, { namespace: OPERATOR_NAMESPACE, name: `${name}-key` });
      this.#forSomeTime(() => this.#world.setKey(name, API_KEYS[ACCOUNTS[name]].key));
    },

    loseAccount: async (): Promise<void> => {
      const name = this.#someAccount();
      await this.#world.user.delete(REGISTRY_ACCOUNTS, { name });
      this.#forSomeTime(() => this.#world.createAccount(name));
    },

    removeAccount: (): Promise<void> => this.#removals.account(),

    removeRegion: (): Promise<void> => this.#removals.region(),

    moveRegion: (): Promise<void> => this.#moves.edit(),

    moveBack: (): Promise<void> => this.#moves.tidyUp(),

    editSecret: async (): Promise<void> => {
      const secret = this.#someSecret();
      if (!secret) return;
      const { namespace, name } = secret.metadata;
      const edits = [
        { data: { [PAYLOAD_KEY]: Buffer.from('{"auths":{}}').toString('base64') } },
        { metadata: { annotations: { [TOKEN_ID_ANNOTATION]: null } } },
        { metadata: { labels: { 'app.kubernetes.io/managed-by': 'somebody' } } },
        { metadata: { ownerReferences: null } },
      ];
      await this.#world.user.mergePatch(SECRETS, { namespace, name }, this.#dice.pick(edits));
    },

    deleteSecret: async (): Promise<void> => {
      const secret = this.#someSecret();
      if (secret) await this.#world.user.delete(SECRETS, { ...secret.metadata });
    },

    createForeignSecret: async (): Promise<void> => {
      const data = { [PAYLOAD_KEY]: Buffer.from('{"auths":{"elsewhere.test":{}}}').toString('base64') };
      const metadata = { namespace: this.#dice.pick(TEAMS), name: this.#dice.pick(SECRET_NAMES) };
      await this.#world.user.create(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
        type: SECRET_TYPE,
        data,
      });
    },

    deleteNamespace: async (): Promise<void> => {
      const name = this.#dice.pick(TEAMS);
      this.#world.weather.trouble();
      await this.#world.user.delete(NAMESPACES, { name });
      const labels = this.#world.hasClusterTokens ? this.#clusterTokens.someLabels() : {};
      this.#later(
        30_000,
        120_000,
        () => void this.#world.createNamespace(name, labels).catch(() => undefined),
      );
    },

    createClusterToken: (): Promise<void> => this.#clusterTokens.create(),

    changeClusterToken: (): Promise<void> => this.#clusterTokens.change(),

    deleteClusterToken: (): Promise<void> => this.#clusterTokens.delete(),

    rotateClusterToken: (): Promise<void> => this.#clusterTokens.rotate(),

    labelNamespace: (): Promise<void> => this.#clusterTokens.labelNamespace(),

    takeTokenAway: async (): Promise<void> => {
      const id = this.#someToken().status?.token?.id;
      if (id !== undefined) await this.#world.registries.takeAway(id, (act) => this.#world.as('user', act));
    },

    registryOutage: (): Promise<void> => {
      const { weather, registries } = this.#world;
      const host = this.#dice.pick(registries.hosts);
      weather.registriesDown.add(host);
      this.#later(5_000, this.#dice.pick([60_000, 3_600_000]), () => {
        weather.registriesDown.delete(host);
        weather.trouble();
      });
      return Promise.resolve();
    },

    apiOutage: (): Promise<void> => {
      const { weather } = this.#world;
      weather.apiDown = true;
      this.#later(2_000, this.#dice.pick([20_000, 600_000]), () => {
        weather.apiDown = false;
        weather.trouble();
      });
      return Promise.resolve();
    },

    breakWatches: (): Promise<void> => {
      const { server, weather } = this.#world;
      weather.trouble();
      if (this.#dice.chance(0.5)) server.compact();
      server.watches.reset();
      return Promise.resolve();
    },

    clockJump: (): Promise<void> => {
      const { leader, climate, weather } = this.#world;
      weather.trouble();
      if (leader) leader.clock.skew = this.#dice.between(-climate.skew, climate.skew);
      return Promise.resolve();
    },

    handOver: (): Promise<void> => {
      this.#world.weather.trouble();
      this.#world.handOver();
      return Promise.resolve();
    },

    registerWebhook: (): Promise<void> => {
      const { webhooks, weather, journal, counts } = this.#world;
      const what = webhooks.register(this.#dice, TEAMS);
      journal.note(() => what);
      counts.webhooks++;
      weather.trouble();
      this.#later(5_000, this.#dice.pick([60_000, 3_600_000]), () => {
        journal.note(() => 'the webhook goes');
        webhooks.clear();
        weather.trouble();
      });
      return Promise.resolve();
    },

    backUp: (): Promise<void> => {
      this.#backups.take();
      return Promise.resolve();
    },

    rollBack: (): Promise<void> => {
      this.#world.counts.restores++;
      this.#backups.rollBack(this.#dice.pick(this.#backups.all));
      return Promise.resolve();
    },

    recreate: async (): Promise<void> => {
      this.#world.counts.restores++;
      const backups = this.#backups.all.filter((each) => this.#backups.hasMissing(each));
      await this.#backups.recreate(this.#dice.pick(backups), this.#dice.chance(0.5));
    },

    kill: (): Promise<void> => {
      const { leader } = this.#world;
      if (leader) this.#world.crash(leader, 'by itself');
      return Promise.resolve();
    },
  };

  /** Puts right what only people can. */
  async tidyUp(): Promise<void> {
    for (const name of ACCOUNT_NAMES) await this.#world.setKey(name, API_KEYS[ACCOUNTS[name]].key);
    await this.#removals.tidyUp();
    await this.#moves.tidyUp();
    for (const { metadata, spec } of this.#world.tokens())
      if (spec.suspend)
        await this.#world.user.mergePatch(REGISTRY_TOKENS, metadata, { spec: { suspend: false } });
  }

  #someAccount(): AccountName {
    return this.#dice.pick(ACCOUNT_NAMES);
  }

  /** Something was taken away and comes back. */
  #forSomeTime(restore: () => Promise<void>): void {
    const { weather } = this.#world;
    weather.trouble();
    this.#later(5_000, this.#dice.pick([60_000, 3_600_000]), () => {
      weather.trouble();
      // Whoever tidied up was faster.
      restore().catch(() => undefined);
    });
  }

  #lasting(): RegistryToken[] {
    return this.#world.tokens().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  #someToken(): RegistryToken {
    return this.#dice.pick(this.#lasting());
  }

  /** One that the operator made. */
  #someSecret(): SecretObject | undefined {
    const made = this.#world.secrets().filter(({ metadata }) => metadata.annotations?.[TOKEN_ID_ANNOTATION]);
    return made.length === 0 ? undefined : this.#dice.pick(made);
  }

  async #patch(spec: RegistryTokenSpec): Promise<void> {
    const { namespace, name } = this.#someToken().metadata;
    await this.#world.user.mergePatch(REGISTRY_TOKENS, { namespace, name }, { spec });
  }

  /** A change that asks for another token, and that the registry has. */
  #relevantChange(spec: RegistryTokenSpec): Change {
    const dice = this.#dice;
    const { registries } = this.#world;
    const provider = registries.of(spec.accountRef?.name ?? 'default');
    const account = dice.pick(ACCOUNT_NAMES);
    const changes: (() => Change)[] = [
      () => ({ access: dice.pick(provider.access) }),
      () => ({ accountRef: { name: account }, ...fitting(registries.of(account), spec, undefined) }),
      // What is only for a lifetime of Never would have to go with it.
      () => (spec.rotation?.rotateEvery === undefined ? { lifetime: dice.pick(provider.lifetimes) } : {}),
    ];
    if (provider.hasRegions) changes.push(() => ({ region: dice.pick(REGIONS) }));
    if (provider.scopes.length > 0) changes.push(() => ({ scope: someScope(dice, provider) }));
    return dice.pick(changes)();
  }

  #later(least: number, most: number, act: () => void): void {
    this.#world.clock.after(this.#dice.between(least, Math.max(least, most)), act);
  }

  #someSpec(): RegistryTokenSpec {
    const dice = this.#dice;
    const account = dice.chance(0.2) ? 'other' : 'default';
    const wishes = someWishes(dice, this.#world.registries.of(account));
    const never = wishes.lifetime === 'Never';
    return {
      ...wishes,
      ...(account !== 'default' && { accountRef: { name: account } }),
      rotation: {
        ...(dice.chance(0.5) && { gracePeriod: dice.pick(GRACE_PERIODS) }),
        ...(never && dice.chance(0.5) && { rotateEvery: '2h' }),
      },
      ...(dice.chance(0.3) && { secret: { name: dice.pick(SECRET_NAMES) } }),
      ...(this.#world.hasWorkloads && { serviceAccounts: this.#serviceAccounts.asked() }),
    };
  }
}

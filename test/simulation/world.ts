import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { GROUP, API_VERSION } from '../../src/api/names.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { OperatorSettings } from '../../src/controller/operator.ts';
import { KubeClient } from '../../src/kube/client/client.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import { NAMESPACES, SECRETS } from '../../src/kube/client/resources.ts';
import type { Call } from '../../src/kube/transport/transport.ts';
import { ApiServer } from '../../sandbox/apiserver/server.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from '../../sandbox/setup.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { contentOf, requestOf } from './api-call.ts';
import { Audit } from './audit.ts';
import { drawClimate, type Climate } from './climate.ts';
import { Dice } from './dice.ts';
import type { JsonObject } from '../../sandbox/apiserver/json.ts';
import { Journal } from './journal.ts';
import type { MintBook } from './mint-book.ts';
import { Places } from './places.ts';
import { ACCOUNT_NAMES, ACCOUNTS, API_KEYS, type AccountName } from './registries/api-keys.ts';
import { drawChoice, Registries, type Choice } from './registries/registries.ts';
import { SimulatedProcess } from './simulated-process.ts';
import type { SecretObject } from '../support/world.ts';
import { Weather } from './weather.ts';
import { Webhooks } from './webhooks.ts';

export const OPERATOR_NAMESPACE = 'operator-system';
export const TEAMS = ['team-a', 'team-b'];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A lease is taken over this long after its holder fell silent, in milliseconds. */
const LEASE = 15_000;
/** A deposed process ends within this. Milliseconds. */
const MAX_END = 5_000;

/** What is drawn for ClusterRegistryTokens leaves all else that a seed draws as it is. */
const CLUSTER_TOKENS = 0x6c757374;
/** In so many of the worlds there are ClusterRegistryTokens. */
const CLUSTER_TOKEN_WORLDS = 0.2;
/** The same for ServiceAccounts and pods. */
const WORKLOADS = 0x706f6473;
const WORKLOAD_WORLDS = 0.2;

const CRDS = new URL('../../crds/', import.meta.url);
const DEFINITIONS = readdirSync(CRDS).map(
  (file) => parse(readFileSync(new URL(file, CRDS), 'utf8')) as Manifest,
);

export interface WorldOptions {
  seed: number;
  /** Keep a journal. */
  journal?: boolean;
  climate?: Climate;
  /** The operator dies at the boundary of that number, counted from 1. */
  crashAt?: number;
  /** The operator is stopped at the boundary of that number for longer than its lease, and finds out as soon as it goes on. */
  freezeAt?: number;
  /** The registry of each account; drawn unless given. */
  choice?: Choice | undefined;
  /** It is another cluster, restored from this backup, with the same registries. */
  backup?: Backup;
}

/** What a backup of a cluster holds, and what the audit knew then. */
export interface Backup {
  origin: World;
  objects: readonly { collection: string; object: JsonObject }[];
  mints: MintBook;
}

/** In which order a backup is restored, before everything else: what others need to be there. */
const RESTORED_FIRST = ['apiextensions.k8s.io/customresourcedefinitions', 'namespaces'];
/** What a restored cluster has of its own. */
const NOT_RESTORED = ['leases', 'events'];

/** A cluster, registries, the operator's processes, and the weather between them. All of it follows from the seed. */
export class World {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly journal: Journal;
  readonly climate: Climate;
  readonly clusterTokenDice: Dice;
  readonly hasClusterTokens: boolean;
  readonly workloadDice: Dice;
  /** Whether there are ServiceAccounts and pods, and these are counted. */
  readonly hasWorkloads: boolean;
  readonly weather: Weather;
  readonly server: ApiServer;
  readonly registries: Registries;
  readonly places: Places;
  readonly audit: Audit;
  readonly settings: OperatorSettings;
  /** A client without any trouble, for users. */
  readonly user: KubeClient;
  /** The same, for who restores a backup. */
  readonly backupTool: KubeClient;
  readonly webhooks = new Webhooks();
  /** Who acts: a process, users, whoever restores a backup, or the cluster's own controllers. */
  actor: SimulatedProcess | 'user' | 'backup' | 'cluster' = 'cluster';
  /** The process that rightly leads. */
  leader: SimulatedProcess | undefined;
  readonly counts = { boundaries: 0, crashes: 0, freezes: 0, processes: 0, webhooks: 0, restores: 0 };
  /** Numbers of the boundaries before which something had changed, or gone on its way, since the one before. */
  readonly changedBefore: number[] = [];
  #hasChanged = true;
  readonly #crashAt: number | undefined;
  readonly #freezeAt: number | undefined;

  constructor({ seed, journal = false, climate, crashAt, freezeAt, choice, backup }: WorldOptions) {
    const clock = (this.clock = backup?.origin.clock ?? new VirtualClock());
    this.dice = new Dice(seed);
    this.clusterTokenDice = new Dice(seed ^ CLUSTER_TOKENS);
    this.workloadDice = new Dice(seed ^ WORKLOADS);
    this.hasWorkloads = backup?.origin.hasWorkloads ?? this.workloadDice.chance(WORKLOAD_WORLDS);
    this.hasClusterTokens =
      backup?.origin.hasClusterTokens ?? this.clusterTokenDice.chance(CLUSTER_TOKEN_WORLDS);
    this.#crashAt = crashAt;
    this.#freezeAt = freezeAt;
    this.journal = new Journal(clock, journal);
    this.climate = climate ?? drawClimate(this.dice.fork());
    this.weather = new Weather(this.climate, this.dice.fork(), () => clock.monotonic());
    const webhook = this.webhooks.admit.bind(this.webhooks);
    this.server = new ApiServer({ clock, random: this.dice.fork().next, webhook });
    const registries = { clock, dice: this.dice.fork(), tokenLifetime: this.dice.pick([DAY, DAY, 3 * HOUR]) };
    const drawn = drawChoice(registries.dice.fork());
    this.registries = backup?.origin.registries ?? new Registries({ ...registries, choice: choice ?? drawn });
    this.registries.observers.push({
      issued: (token) => this.audit.issued(token),
      revoked: (token) => this.audit.revoked(token),
      founded: (identity) => this.audit.founded(identity),
      exchanged: (exchange) => this.audit.exchanges.exchanged(exchange),
    });
    this.settings = {
      operatorNamespace: OPERATOR_NAMESPACE,
      watchNamespaces: [],
      workers: 4,
      mintBudget: this.dice.pick([0, 3, 5]),
      defaultGracePeriod: HOUR,
      revocationDeadline: 15_000,
      clusterTokens: this.hasClusterTokens,
      evictPods: false,
      countPods: this.hasWorkloads,
      sweep: 'revoke',
      // In the longer of the two what goes unnoticed is not found until the simulation is over.
      sweepInterval: this.dice.pick([HOUR, DAY]),
      sweepDelay: 600_000,
      shutdownTimeout: 2_000,
    };
    this.user = this.#clientOf('user');
    this.backupTool = this.#clientOf('backup');
    this.places = new Places(() => clock.monotonic());
    this.audit = new Audit(this, backup);
    this.weather.isAstray = () => !this.registries.leadAsAtFirst(this.accounts());
    this.server.store.subscribe(() => this.changed());
    this.server.store.subscribe((change) => this.places.changed(change));
    this.server.store.subscribe((change) => this.audit.changed(change));
  }

  #clientOf(actor: 'user' | 'backup'): KubeClient {
    const request = async (call: Call): Promise<unknown> => {
      const sent = requestOf(call, new AbortController().signal);
      return contentOf(call, await this.as(actor, () => this.server.handle(sent)));
    };
    const stream = (): never => {
      throw new Error('people do not watch');
    };
    return new KubeClient({ request, stream, close: () => Promise.resolve() }, { fieldManager: actor });
  }

  /** Makes the cluster ready and starts the operator. */
  async begin(): Promise<void> {
    await this.registries.load();
    for (const definition of DEFINITIONS) await this.user.create(CUSTOM_RESOURCE_DEFINITIONS, definition);
    await this.clock.advance(10);
    for (const name of [OPERATOR_NAMESPACE, ...TEAMS]) await this.createNamespace(name);
    for (const name of ACCOUNT_NAMES) {
      await this.setKey(name, API_KEYS[ACCOUNTS[name]].key);
      await this.createAccount(name);
    }
    const cluster = (await this.user.get(NAMESPACES, { name: 'kube-system' })).metadata.uid;
    const others = [
      '',
      'by hand',
      '[pullsecrets.dev:another-cluster:uid:1]',
      `[pullsecrets.dev:${cluster}:uid]`,
    ];
    await this.registries.addTokensOfOthers(others, (act) => this.as('user', act));
    this.startOperator();
  }

  /** Everything in the cluster, as an etcd snapshot has it. */
  backup(): Backup {
    const { store } = this.server;
    const collections = store.collections().filter((name) => !NOT_RESTORED.some((end) => name.endsWith(end)));
    const rank = (name: string): number => RESTORED_FIRST.indexOf(name) + 1 || RESTORED_FIRST.length + 1;
    const objects = collections
      .sort((a, b) => rank(a) - rank(b))
      .flatMap((collection) => store.list(collection).map((object) => ({ collection, object })));
    return { origin: this, objects, mints: this.audit.mints.copy() };
  }

  /** Makes the cluster what a backup holds, and starts its operator. */
  async restore({ objects }: Backup): Promise<void> {
    for (const { collection, object } of objects) {
      this.as('backup', () => this.server.store.put(collection, object));
      if (collection === RESTORED_FIRST[0]) await this.clock.advance(10);
    }
    this.startOperator();
  }

  async createNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
    await this.user.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }

  async createAccount(name: AccountName): Promise<void> {
    await this.user.create(REGISTRY_ACCOUNTS, {
      apiVersion: API_VERSION,
      kind: 'RegistryAccount',
      metadata: { name },
      spec: {
        ...this.registries.of(name).whereabouts(name),
        credentialsSecretRef: { name: `${name}-key` },
        limits: { maxAccess: 'ReadWrite', allowNeverExpiring: true },
      },
    });
  }

  /** Gives an account another API key or password, or one that is not good. */
  async setKey(account: AccountName, key: string): Promise<void> {
    const credentials = Object.entries(this.registries.of(account).credentials(key));
    const data = credentials.map(([field, value]) => [field, Buffer.from(value).toString('base64')]);
    await this.user.apply(
      SECRETS,
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: `${account}-key`, namespace: OPERATOR_NAMESPACE },
        data: Object.fromEntries(data) as Record<string, string>,
      },
      { force: true },
    );
  }

  tokens(): RegistryToken[] {
    return this.server.store.list(`${GROUP}/registrytokens`) as unknown as RegistryToken[];
  }

  accounts(): RegistryAccount[] {
    return this.server.store.list(`${GROUP}/registryaccounts`) as unknown as RegistryAccount[];
  }

  secrets(): SecretObject[] {
    return this.server.store.list('secrets') as unknown as SecretObject[];
  }

  /** Does something in somebody's name. */
  as<T>(actor: World['actor'], act: () => T): T {
    this.actor = actor;
    try {
      return act();
    } finally {
      this.actor = 'cluster';
    }
  }

  /** Something is no longer as it was, in the cluster or at a registry, or is on its way to be so. */
  changed(): void {
    this.#hasChanged = true;
  }

  /** A process is about to have an effect, or just had one: here it can die or be stopped. */
  async boundary(process: SimulatedProcess, title: string): Promise<void> {
    await process.gate.open();
    this.counts.boundaries++;
    const { boundaries } = this.counts;
    if (this.#hasChanged) this.changedBefore.push(boundaries);
    this.#hasChanged = false;
    if (this.weather.crashes() || boundaries === this.#crashAt) this.crash(process, title);
    else if (boundaries === this.#freezeAt) this.freeze(process, title, 2 * LEASE);
    else if (this.weather.freezes()) this.freeze(process, title);
    await process.gate.open();
  }

  startOperator(): void {
    const { skew } = this.climate;
    const wrong =
      !this.weather.calm && skew > 0 && this.dice.chance(0.5) ? this.dice.between(-skew, skew) : 0;
    const name = `operator-${++this.counts.processes}`;
    this.journal.note(() => `${name} starts, its clock ${wrong / 1000} s ahead`);
    this.leader = new SimulatedProcess(this, name, wrong, this.settings);
  }

  /** A process dies; if it led, another starts a while later. */
  crash(process: SimulatedProcess, occasion: string): void {
    this.journal.note(() => `${process.name} dies ${occasion}`);
    this.counts.crashes++;
    this.weather.trouble();
    process.kill();
    if (this.leader === process) this.#succeed(this.dice.pick([100, 2_000, 20_000]));
  }

  /** A process is stopped for a while. Long enough, and another takes over meanwhile. */
  freeze(process: SimulatedProcess, occasion: string, milliseconds?: number): void {
    const pause = milliseconds ?? this.dice.pick([1_000, 8_000, LEASE + 1_000, 40_000, 120_000]);
    this.journal.note(() => `${process.name} is stopped for ${pause} ms ${occasion}`);
    this.counts.freezes++;
    this.weather.trouble();
    process.gate.freeze();
    if (pause > LEASE) {
      this.clock.after(LEASE, () => {
        process.deposed = true;
        if (this.leader === process) this.#succeed(0);
      });
    }
    this.clock.after(pause, () => this.#thaw(process));
  }

  /** The operator is told to stop, and another process takes over. */
  handOver(): void {
    const process = this.leader;
    if (!process) return;
    this.journal.note(() => `${process.name} is told to stop`);
    process.stop();
    this.clock.after(MAX_END, () => {
      process.deposed = true;
      process.kill();
      if (this.leader === process) this.#succeed(0);
    });
  }

  /** Trouble ends: whoever was deposed ends too. */
  clearUp(): void {
    this.journal.note(() => 'the trouble ends');
    this.weather.clearUp();
    this.webhooks.clear();
    if (!this.leader) this.startOperator();
    this.leader?.gate.thaw();
    if (this.leader) this.leader.clock.skew = 0;
  }

  /** A deposed process may take a moment to notice; that its lease is over it knows, unless its clock stood still too. */
  #thaw(process: SimulatedProcess): void {
    this.journal.note(() => `${process.name} goes on${process.deposed ? ', deposed' : ''}`);
    const standsStill = process.deposed && this.#freezeAt === undefined && this.dice.chance(0.3);
    const unaware = standsStill ? this.dice.between(100, 5_000) : 0;
    if (process.deposed) {
      process.unaware = unaware > 0;
      process.misled = process.unaware;
      this.clock.after(unaware, () => process.depose());
      this.clock.after(unaware + MAX_END, () => process.kill());
    }
    process.gate.thaw();
  }

  #succeed(delay: number): void {
    this.leader = undefined;
    this.clock.after(delay, () => {
      if (!this.leader) this.startOperator();
    });
  }
}

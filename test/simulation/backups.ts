import { API_VERSION, GROUP } from '../../src/api/names.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { keyOf } from '../../sandbox/apiserver/change.ts';
import { asObject, asText, type JsonObject } from '../../sandbox/apiserver/json.ts';
import { TEAMS, type World } from './world.ts';

/** What owns before what is owned: the garbage collector looks on. */
const COLLECTIONS = [`${GROUP}/registrytokens`, 'secrets'] as const;
const ACCOUNTS = `${GROUP}/registryaccounts`;

/** What the namespaces of users held at a moment. */
export interface Snapshot {
  /** Milliseconds since 1970. */
  time: number;
  objects: ReadonlyMap<string, readonly JsonObject[]>;
}

/** Backups of a cluster that are restored into it, while the registries stay as they are. */
export class Backups {
  #snapshots: Snapshot[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  get all(): readonly Snapshot[] {
    return this.#snapshots;
  }

  take(): void {
    const { clock } = this.#world;
    const objects = new Map([...COLLECTIONS, ACCOUNTS].map((each) => [each, this.#now(each)]));
    this.#snapshots.push({ time: clock.now(), objects });
  }

  /** Whether a snapshot has RegistryTokens that are here no more. */
  hasMissing(snapshot: Snapshot): boolean {
    return this.#missing(snapshot, COLLECTIONS[0]).length > 0;
  }

  /**
   * As an etcd snapshot is restored: RegistryTokens and Secrets are what they were, with their uids, and so is what accounts say.
   * The operator goes down with the cluster.
   */
  rollBack(snapshot: Snapshot): void {
    const { leader, audit, weather } = this.#world;
    const { store } = this.#world.server;
    weather.trouble();
    if (leader) this.#world.crash(leader, 'with its cluster');
    audit.rolledBack(snapshot);
    // The others are of times that never were.
    this.#snapshots = [];
    this.#world.as('backup', () => {
      for (const account of this.#now(ACCOUNTS)) {
        const then = snapshot.objects.get(ACCOUNTS)?.find((each) => keyOf(each) === keyOf(account));
        if (then)
          store.put(ACCOUNTS, { ...account, ...(then.status !== undefined && { status: then.status }) });
      }
      for (const collection of COLLECTIONS) {
        const then = (snapshot.objects.get(collection) ?? []).filter((each) => this.#hasNamespace(each));
        const keys = new Set(then.map(keyOf));
        for (const object of this.#now(collection))
          if (!keys.has(keyOf(object))) store.remove(collection, object);
        for (const object of then) store.put(collection, object);
      }
    });
    this.#world.server.compact();
    this.#world.server.watches.reset();
  }

  /**
   * As a backup tool restores objects: what is missing is created again, with labels and annotations, without status and owners.
   * @throws KubeError when the API server refuses one
   */
  async recreate(snapshot: Snapshot, secretsFirst: boolean): Promise<void> {
    const kinds = [
      [REGISTRY_TOKENS, COLLECTIONS[0], { apiVersion: API_VERSION, kind: 'RegistryToken' }],
      [SECRETS, COLLECTIONS[1], { apiVersion: 'v1', kind: 'Secret' }],
    ] as const;
    const missing = kinds.map(([, collection]) => this.#missing(snapshot, collection));
    for (const at of secretsFirst ? [1, 0] : [0, 1]) {
      const [resource, , type] = kinds[at] ?? kinds[0];
      for (const { metadata, spec, data, type: secretType } of missing[at] ?? []) {
        const { name, namespace, labels, annotations } = asObject(metadata);
        const kept = { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) };
        const content = { ...(spec && { spec }), ...(data && { data, type: secretType }) };
        await this.#create(resource, { ...type, metadata: kept, ...content } as unknown as Manifest);
      }
    }
  }

  async #create(resource: typeof SECRETS, manifest: Manifest): Promise<void> {
    try {
      await this.#world.backupTool.create(resource, manifest);
    } catch (error) {
      // The operator was faster, or policy is against it.
      if (!(error instanceof KubeError)) throw error;
    }
  }

  #missing(snapshot: Snapshot, collection: string): JsonObject[] {
    const there = new Set(this.#now(collection).map(keyOf));
    return (snapshot.objects.get(collection) ?? []).filter(
      (each) => !there.has(keyOf(each)) && this.#hasNamespace(each),
    );
  }

  #now(collection: string): JsonObject[] {
    return this.#world.server.store.list(collection).filter(({ metadata }) => {
      const { namespace } = asObject(metadata);
      return namespace === undefined || TEAMS.includes(asText(namespace));
    });
  }

  #hasNamespace({ metadata }: JsonObject): boolean {
    const { namespace } = asObject(metadata);
    return this.#world.server.store.list('namespaces').some(({ metadata: each }) => {
      const { name, deletionTimestamp } = asObject(each);
      return name === namespace && deletionTimestamp === undefined;
    });
  }
}

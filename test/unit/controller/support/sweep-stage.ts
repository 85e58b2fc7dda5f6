import { expect } from 'chai';
import type { RegistryAccount, RegistryAccountStatus } from '../../../../src/api/registry-account.ts';
import type { Place, RegistryToken } from '../../../../src/api/registry-token.ts';
import { sleep } from '../../../../src/common/clock.ts';
import type { KubeObject } from '../../../../src/common/objects.ts';
import type { AccountSessions, Issued } from '../../../../src/controller/account/account-sessions.ts';
import { Sweeper } from '../../../../src/controller/sweep/sweeper.ts';
import { TokenLists } from '../../../../src/controller/shared/token-lists.ts';
import { TokenUsers } from '../../../../src/controller/sweep/token-users.ts';
import { listOf } from '../../../../src/token/decide/scope.ts';
import { knownScopes } from '../../../../src/token/sweep/known-scopes.ts';
import { isSamePlace } from '../../../../src/token/lifecycle/place.ts';
import { KubeClient } from '../../../../src/kube/client/client.ts';
import { KubeError } from '../../../../src/kube/client/errors.ts';
import type { EventRecorder } from '../../../../src/kube/events/event-recorder.ts';
import { LeadershipLost } from '../../../../src/kube/election/leadership-lost.ts';
import type { Call, Transport } from '../../../../src/kube/transport/transport.ts';
import { providerOf } from '../../../../src/registry/backends.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import type { ListedToken, Registry } from '../../../../src/registry/port.ts';
import { describe as describeToken, type Tag } from '../../../../src/token/sweep/tag.ts';
import { aCapability, anAccount, HOUR, MINUTE, PLACE } from '../../../support/builders.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

export const CLUSTER = 'this-cluster';
export const DELAY = 10 * MINUTE;

/** The spec of an account that is not IBM Cloud's, so that it has these regions and no others. */
export const elsewhere = (...names: string[]) => ({
  ibmRegistryTokens: { iamEndpoint: 'https://iam.example' },
  regions: names.map((name) => ({ name, host: `${name}.example`, endpoint: placeIn(name).endpoint })),
});

/** Where a region of the stage leads at first. */
export const placeIn = (region: string): Place =>
  region === 'us-south' ? PLACE : { ...PLACE, endpoint: `https://${region}.example` };

/** Where a region leads with credentials of another account of the registry. */
export const anotherIn = (region: string): Place => ({ ...placeIn(region), identity: 'another' });

/** The registries of one account by region, a cluster, and a sweeper between them. */
export class SweepStage {
  readonly clock = new VirtualClock();
  readonly regions = new Map<string, ListedToken[]>();
  /** Lists of scopes of tokens that have one, by id. */
  readonly scopeOf = new Map<string, string>();
  /** Whether regions lead where they led before the account changed, which was not looked at yet. */
  isBehind = false;
  /** Where regions lead that have moved. */
  readonly moved = new Map<string, Place>();
  /** Regions that fail, and what with. */
  readonly down = new Map<string, RegistryError>();
  /** Why the account can't be used. */
  problem: string | undefined;
  /** What revocations fail with. */
  refusal: RegistryError | undefined;
  /** Those of which it says that it does not know them. */
  readonly unknownIds = new Set<string>();
  /** The same of a single one, by id. */
  readonly refusals = new Map<string, Error>();
  readonly revoked: string[] = [];
  /** All that was to be deleted, whether or not it was. */
  readonly tried: string[] = [];
  /** What the API server was asked, without where. */
  readonly requests: string[] = [];
  /** What the metrics were told of revocations. */
  readonly counted: string[] = [];
  readonly listed: string[] = [];
  /** Milliseconds that the registry says its lists can lag. */
  listLag = 0;
  /** How long it proves nothing that the registry does not know a token, in milliseconds. */
  absence = 0;
  /** Whether the registry lists tokens of different scopes apart. */
  listsApart = false;
  /** Scopes that the account can see. */
  visible: string[] = [];
  /** Scopes that may not be searched. */
  readonly hidden = new Set<string>();
  /** Scopes whose lists fail, and what with. */
  readonly broken = new Map<string, RegistryError>();
  /** What the registry says of a token by its id, if it can be asked. */
  byId: ((id: string) => ListedToken | undefined | Promise<ListedToken | undefined>) | undefined;
  /** The scope of each list. */
  readonly searched: (readonly string[])[] = [];
  readonly events: string[] = [];
  /** Their notes. */
  readonly notes: string[] = [];
  /** What each Warning is told apart by. */
  readonly occasions = new Set<string>();
  readonly lines: string[] = [];
  /** Of the lines. */
  readonly fields: object[] = [];
  readonly enqueued: string[] = [];
  /** What the API server has. The watches saw the same unless `watched` says otherwise. */
  tokens: RegistryToken[] = [];
  secrets: KubeObject[] = [];
  account: RegistryAccount | undefined = anAccount({ spec: elsewhere('us-south') });
  watched: { tokens?: RegistryToken[]; deleted?: string[] } = {};
  orphans: ReadonlyMap<string, number> = new Map();
  unknown: ReadonlyMap<string, number> = new Map();
  /** Tokens that the sweeper said are gone, in order. */
  readonly gone: string[] = [];
  mayRevoke = true;
  /** Milliseconds that a revocation takes. */
  revocationTime = 0;
  /** Milliseconds that a list takes. */
  listTime = 0;
  /** How far the registries' clocks are ahead, in milliseconds. */
  skew = 0;
  /** Happens once, during the next list. */
  whileListing: (() => void) | undefined;
  apiServerFails = false;
  readonly #deleted = new Set<string>();
  sweeper: Sweeper;

  constructor({
    sweep = 'revoke',
    namespaces = [],
  }: { sweep?: 'revoke' | 'report'; namespaces?: string[] } = {}) {
    this.sweeper = this.#sweeper(sweep, namespaces);
  }

  /** The operator starts again: everything in memory is gone. */
  restart(): void {
    this.sweeper = this.#sweeper('revoke', []);
  }

  add(region: string, id: string, description = orphanTag(), expiresAt: number | null = null): void {
    const rows = this.regions.get(region) ?? [];
    this.regions.set(region, [...rows, { id, description, expiresAt, revoked: false }]);
  }

  /** Something that tokens hang on. */
  addIdentity(region: string, id: string, part: Partial<NonNullable<ListedToken['identity']>> = {}): void {
    const identity = { clusterId: CLUSTER, uid: 'gone', specHash: 'hash', ...part };
    const rows = this.regions.get(region) ?? [];
    const row = { id, description: 'what tokens hang on', expiresAt: null, revoked: false, identity };
    this.regions.set(region, [...rows, row]);
  }

  look(): ReturnType<Sweeper['reconcile']> {
    return this.sweeper.reconcile('default', new AbortController().signal);
  }

  /** Looks, and as often again as asked to, for so long. */
  async run(milliseconds: number): Promise<void> {
    const end = this.clock.monotonic() + milliseconds;
    for (;;) {
      const { requeueAfter = Infinity } = (await this.look()) ?? {};
      const left = end - this.clock.monotonic();
      await this.clock.advance(Math.min(requeueAfter, left));
      if (requeueAfter >= left) return;
    }
  }

  get status(): RegistryAccountStatus {
    return this.account?.status ?? {};
  }

  #sweeper(sweep: 'revoke' | 'report', namespaces: string[]): Sweeper {
    const { clock } = this;
    const client = new KubeClient(this.#transport(), { fieldManager: 'test' });
    const sessions = {
      problem: () => this.problem,
      placeOf: (_: string, region: string) => this.#placeOf(region),
      leadsTo: (_: string, region: string) => this.#placeOf(region),
      registryOf: ({ region }: Issued) => this.#registry(region),
      reach: ({ place }: Issued) => {
        const { regions = [], abandonedEndpoints = [] } = this.account?.spec ?? {};
        if (abandonedEndpoints.includes(place.endpoint)) return 'given up';
        const leads = regions.find(({ name }) => isSamePlace(place, this.#placeOf(name)));
        return leads ? { region: leads.name } : 'elsewhere';
      },
    } as unknown as AccountSessions;
    const note = (fields: object, message: string): void => {
      this.lines.push(message);
      this.fields.push(fields);
    };
    return new Sweeper({
      client,
      clock,
      sweep,
      clusterId: CLUSTER,
      sweepDelay: DELAY,
      sweepInterval: HOUR,
      registryNow: () => this.clock.now() + this.skew,
      random: () => 0,
      account: () => this.account,
      allTokens: () => this.watched.tokens ?? this.tokens,
      users: new TokenUsers(
        client,
        {
          tokens: () => this.watched.tokens ?? this.tokens,
          secrets: () => this.secrets,
          accounts: () => (this.account ? [this.account] : []),
          deletions: { gone: () => this.watched.deleted ?? this.#deleted },
        },
        namespaces,
      ),
      sessions,
      lists: new TokenLists(sessions, clock, {
        listsApart: () => this.listsApart,
        scopesOf: () =>
          new Set([
            ...knownScopes('default', this.account, this.watched.tokens ?? this.tokens),
            ...this.sweeper.owedScopes('default'),
          ]),
        alsoTried: [],
      }),
      events: {
        event: (_: KubeObject, __: string, reason: string, message: string, occasion = '') => {
          this.events.push(reason);
          this.notes.push(message);
          this.occasions.add(occasion);
        },
      } as unknown as EventRecorder,
      metrics: {
        minted: () => undefined,
        repaired: () => undefined,
        revoked: (result) => void this.counted.push(result),
        orphans: (_, byRegion) => {
          this.orphans = byRegion;
        },
        unknownTokens: (_, byRegion) => {
          this.unknown = byRegion;
        },
      },
      logger: { debug: () => undefined, info: note, warn: note, error: note },
      onGone: ({ id }) => void this.gone.push(id),
      enqueue: (account) => void this.enqueued.push(account),
    });
  }

  #placeOf(region: string): Place {
    const place = this.moved.get(region) ?? placeIn(region);
    const endpoint = this.account && providerOf(this.account.spec)?.places.resolve(region)?.endpoint;
    return { ...place, endpoint: (this.isBehind ? undefined : endpoint) ?? place.endpoint };
  }

  #registry(region: string): Registry {
    const fail = (): void => {
      const error = this.down.get(region);
      if (error) throw error;
    };
    const registry: Pick<Registry, 'capabilities' | 'list' | 'lookUp' | 'revoke' | 'scopes'> = {
      capabilities: aCapability({ settling: { listing: this.listLag, absence: this.absence } }),
      list: async (scope, select) => {
        this.searched.push(scope);
        this.listed.push(region);
        const { whileListing } = this;
        this.whileListing = undefined;
        whileListing?.();
        if (this.listTime > 0) await this.clock.advance(this.listTime);
        fail();
        const failure = this.broken.get(listOf(scope));
        if (failure) throw failure;
        if (this.hidden.has(listOf(scope))) throw new RegistryError('Forbidden', 'may not be listed');
        const shown = ({ id }: ListedToken): boolean =>
          !this.listsApart || listOf(scope) === (this.scopeOf.get(id) ?? '');
        return (this.regions.get(region) ?? []).filter(shown).flatMap((row) => select(row) ?? []);
      },
      scopes: async () => {
        fail();
        return this.visible.map((scope) => [scope]);
      },
      ...(this.byId && {
        lookUp: async (id: string) => {
          fail();
          return this.byId?.(id);
        },
      }),
      revoke: async (id) => {
        this.tried.push(id);
        fail();
        if (this.revocationTime > 0)
          await sleep(this.clock, this.revocationTime, new AbortController().signal);
        const refusal = this.refusal ?? this.refusals.get(id);
        if (refusal) throw refusal;
        if (!this.mayRevoke) throw new LeadershipLost('another process leads');
        if (this.unknownIds.has(id)) return false;
        this.revoked.push(id);
        this.regions.set(
          region,
          (this.regions.get(region) ?? []).filter((row) => row.id !== id),
        );
        return true;
      },
    };
    return registry as Registry;
  }

  #transport(): Transport {
    const request = async ({ method, path, body, keep }: Call): Promise<unknown> => {
      this.requests.push(`${method} ${path.split('/').at(-1) ?? ''}`);
      if (this.apiServerFails) throw new KubeError('down', { status: 503 });
      if (method === 'PATCH') {
        const [, { value }] = body as [unknown, { value: RegistryAccountStatus }];
        if (this.account) this.account = { ...this.account, status: value };
        return this.account;
      }
      if (path.endsWith('/registryaccounts')) return list(this.account ? [this.account] : [], keep);
      if (path.endsWith('/registrytokens')) return list(this.tokens, keep);
      if (path.endsWith('/secrets')) return list(this.secrets, keep);
      if (!this.account) throw new KubeError('gone', { status: 404 });
      return this.account;
    };
    return { request, stream: () => expect.fail('nothing is watched'), close: async () => undefined };
  }
}

const list = (items: KubeObject[], keep: Call['keep'] = (item) => item): object => ({
  metadata: { resourceVersion: '1' },
  items: items.map(keep),
});

export const orphanTag = (part: Partial<Tag> = {}): string =>
  describeToken('', { clusterId: CLUSTER, uid: 'gone', revision: 1, ...part });

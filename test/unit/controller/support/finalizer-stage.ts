import { FINALIZER } from '../../../../src/api/names.ts';
import type { RegistryToken } from '../../../../src/api/registry-token.ts';
import { abortable } from '../../../../src/common/abortable.ts';
import type { ObjectName } from '../../../../src/common/objects.ts';
import type { Issued } from '../../../../src/controller/account/account-sessions.ts';
import { Memory } from '../../../../src/controller/token/memory.ts';
import type { SecretObject } from '../../../../src/controller/token/secret-store.ts';
import { TokenFinalizer, type FinalizerOptions } from '../../../../src/controller/token/token-finalizer.ts';
import { KubeError } from '../../../../src/kube/client/errors.ts';
import type { ReconcileResult } from '../../../../src/kube/queue/worker-pool.ts';
import type { Failure } from '../../../../src/token/lifecycle/failure.ts';
import type { TokenKey } from '../../../../src/token/lifecycle/place.ts';
import {
  aCredential,
  anIssuedToken,
  ANOTHER_PLACE,
  aPrevious,
  aSecret,
  at,
} from '../../../support/builders.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** Milliseconds until a RegistryToken waits no longer for its registry. */
export const LIMIT = 15_000;
const { signal } = new AbortController();
const DOWN: Failure = { reason: 'RegistryUnavailable', message: 'no answer', retryable: true };
export const TOKEN = anIssuedToken({
  metadata: { deletionTimestamp: at(0), finalizers: [FINALIZER] },
  status: { previousTokens: [aPrevious({ region: 'eu-de' })] },
});
export const EVERYWHERE = ['default in us-south', 'default in eu-de'];

/** A Secret of the RegistryToken's. */
export const secret = (name: string, tokenId: string, spec: RegistryToken['spec'] = {}): SecretObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  ...aSecret({ metadata: { name } }, { token: { ...TOKEN, spec }, credential: aCredential({ tokenId }) }),
});

const named =
  (name: string) =>
  ({ metadata }: SecretObject): boolean =>
    metadata.name === name;

/** What tells a token of another place than the builders'. */
const whereOf = ({ endpoint }: TokenKey['place']): string =>
  endpoint === ANOTHER_PLACE.endpoint ? ' at another' : '';

type Registry = 'up' | 'down' | 'silent';

/** A RegistryToken that is being deleted, with the registry as it is told to be. */
export class FinalizerStage {
  readonly clock = new VirtualClock();
  readonly leftBehind: string[] = [];
  readonly revoked: string[] = [];
  /** Places where what tokens hung on was deleted, and what was to be kept of it. */
  readonly unhung: string[] = [];
  /** Why scopes can't be written down. */
  noting: Error | undefined;
  /** Notes of events. */
  readonly notes: string[] = [];
  /** What metrics were told of revocations. */
  readonly counted: string[] = [];
  /** What was done that the API server sees, in order. */
  readonly did: string[] = [];
  readonly told: string[] = [];
  registry: Registry = 'up';
  /** What comes of deleting what tokens hung on. */
  unhanging: Failure | undefined;
  /** What comes of changing ServiceAccounts. */
  webhook: 'up' | 'down' | 'silent' = 'up';
  secrets: SecretObject[] = [];
  /** Those that the watch knows as the status has them. */
  recorded: SecretObject[] = [];
  /** What was read from the API server, in order. */
  readonly read: string[] = [];
  /** What it has in place of the RegistryToken that the watch knows. */
  live: RegistryToken | 'gone' | undefined;
  readonly retained: string[] = [];
  /** Tokens at the registry that came of the open mint, by their tag. */
  results: string[] | undefined = ['token-2'];
  /** What comes of taking the finalizer away. */
  answer: 'given' | 'lost' = 'given';
  released = 0;
  /** Whether ServiceAccounts are to keep its Secrets. */
  entriesStay: boolean | undefined;
  noticedAt: number | undefined = 0;
  /** How the registry issues tokens. */
  issueAt: 'minted' | 'exchanged' = 'minted';
  readonly #finalizer: TokenFinalizer;
  readonly #token: RegistryToken;

  constructor(token = TOKEN) {
    this.#token = token;
    const nothing = (): void => undefined;
    const options = {
      tokens: {
        read: () => {
          this.read.push('RegistryToken');
          return Promise.resolve(this.live === 'gone' ? undefined : (this.live ?? this.#token));
        },
        removeFinalizer: ({ metadata }: RegistryToken) => {
          if (this.live === 'gone') return Promise.reject(new KubeError('gone', { status: 404 }));
          if (this.live && metadata.resourceVersion !== this.live.metadata.resourceVersion)
            return Promise.reject(new KubeError('changed', { status: 409 }));
          this.released++;
          this.did.push('finalizer removed');
          return this.answer === 'lost' ? Promise.reject(new Error('connection reset')) : Promise.resolve();
        },
      },
      secrets: {
        asRecorded: (_: RegistryToken, name: string) => this.recorded.find(named(name)),
        read: ({ name }: ObjectName) => {
          this.read.push(`Secret ${name}`);
          return Promise.resolve(this.secrets.find(named(name)));
        },
        remove: (gone: SecretObject) => {
          this.secrets = this.secrets.filter((each) => each !== gone);
          return Promise.resolve();
        },
        removeUnchanged: ({ metadata: { name, resourceVersion } }: SecretObject) => {
          const there = this.secrets.find(named(name));
          if (there && there.metadata.resourceVersion !== resourceVersion)
            return Promise.reject(new KubeError('changed', { status: 409 }));
          this.secrets = this.secrets.filter((each) => each !== there);
          return Promise.resolve();
        },
      },
      linker: {
        release: (_: unknown, keepEntries: boolean, limited: AbortSignal) => {
          this.entriesStay = keepEntries;
          return this.#release(limited);
        },
      },
      sessions: { reach: () => ({ region: 'us-south' }), moment: () => ({ now: 0, registryNow: 0 }) },
      issueAt: () => this.issueAt,
      tagged: { resultsOf: () => Promise.resolve(this.results) },
      revoker: {
        revoke: (_: unknown, { id, place }: TokenKey, limited: AbortSignal) =>
          this.#revoke(id + whereOf(place), limited),
        release: (_: unknown, { account, region }: Issued, keep: readonly string[]) =>
          this.#unhang(`${account} in ${region}${keep.join()}`),
      },
      retention: {
        remember: (_: unknown, { id, place }: TokenKey) =>
          Promise.resolve(void this.retained.push(id + whereOf(place))),
      },
      memory: new Memory(),
      deletions: { noticedAt: () => this.noticedAt },
      events: {
        event: (_: unknown, __: unknown, reason: string, note: string) => {
          this.told.push(reason);
          this.notes.push(note);
        },
      },
      metrics: { revoked: (result: string) => void this.counted.push(result) },
      logger: { error: nothing, warn: nothing, info: nothing, debug: nothing },
      clock: this.clock,
      random: () => 0,
      revocationDeadline: LIMIT,
      noteScopes: () =>
        this.noting ? Promise.reject(this.noting) : Promise.resolve(void this.did.push('scopes noted')),
      onLeftBehind: (_: string, { account, region }: Issued) =>
        void this.leftBehind.push(`${account} in ${region}`),
    } as unknown as FinalizerOptions;
    this.#finalizer = new TokenFinalizer(options);
  }

  #release(limited: AbortSignal): Promise<void> {
    if (this.webhook === 'silent') return abortable(new Promise(() => undefined), limited);
    if (this.webhook === 'up') return Promise.resolve();
    return Promise.reject(new KubeError('failed calling webhook', { status: 500, reason: 'InternalError' }));
  }

  #revoke(id: string, limited: AbortSignal): Promise<Failure | undefined> {
    if (this.registry === 'silent') return abortable(new Promise(() => undefined), limited);
    if (this.registry === 'down') return Promise.resolve(DOWN);
    this.revoked.push(id);
    return Promise.resolve(undefined);
  }

  #unhang(what: string): Promise<Failure | undefined> {
    this.unhung.push(what);
    return Promise.resolve(this.unhanging);
  }

  /** @returns what came of it, and the milliseconds it took */
  async look(): Promise<{ result: ReconcileResult | Error; took: number }> {
    const begun = this.clock.monotonic();
    const results: (ReconcileResult | Error)[] = [];
    void this.#finalizer.finalize(this.#token, signal).then(
      (value) => results.push(value),
      (error: Error) => results.push(error),
    );
    await this.clock.advance(0);
    while (results.length === 0) await this.clock.advance(100);
    return { result: results[0], took: this.clock.monotonic() - begun };
  }

  /** Looks as often as it is asked to, until nothing is left to do. @returns milliseconds since the deletion was noticed */
  async finish(): Promise<number> {
    for (;;) {
      const { result } = await this.look();
      if (result === undefined || result instanceof Error)
        return this.clock.monotonic() - (this.noticedAt ?? 0);
      await this.clock.advance(result.requeueAfter ?? 0);
    }
  }
}

import { GROUP, TOKEN_ID_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryToken, TokenRecord, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import type { Change } from '../../sandbox/apiserver/change.ts';
import { asObject, asText, type Json, type JsonObject } from '../../sandbox/apiserver/json.ts';
import { PROMPTNESS } from './held-back.ts';
import { heldToken, ownerOf } from './held-token.ts';
import { ACCOUNT_NAMES, accountIdOf } from './registries/api-keys.ts';
import type { Exchange } from './registries/provider.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { World } from './world.ts';

const MINUTE = 60_000;
/** Requests for a token that one process may send to one endpoint within a minute, however many fail. */
const MAX_EXCHANGES_A_MINUTE = 20;
/** Milliseconds by which a time in a status, a whole second, and one of a registry can differ. */
const ROUNDING = 1_000;
/** An edit of an account can be noticed this much later: watches break. Milliseconds. */
const NOTICING = 10 * MINUTE;

/** Exchanges of one process for one access and scope at one endpoint. Monotonic milliseconds. */
interface Run {
  since: number;
  count: number;
}

/**
 * Looks on at tokens that are exchanged, and notes what must never:
 *
 * - No token is exchanged that no RegistryToken asks for: with that access, and for that scope.
 * - In one process one exchange serves all that ask for the same: there is another a minute later at the earliest, save where an answer
 *   was lost or the account was edited. So a restart exchanges at most once for each.
 * - No process sends exchanges in a storm, however many fail.
 * - What a status names is what its Secret holds, and can do what the status says, no more and no less.
 * - No status records an intent to exchange, nor a token to revoke that nobody can revoke.
 * - A RegistryToken with nothing but such tokens goes at once, registries or no.
 */
export class ExchangeAudit {
  readonly #world: World;
  readonly #byId = new Map<string, Exchange>();
  /** Identifiers of statuses -> the audit's. */
  readonly #names = new Map<string, string>();
  readonly #runs = new WeakMap<SimulatedProcess, Map<string, Run>>();
  /** When each process sent requests, and how many had no answer, by endpoint. */
  readonly #requests = new WeakMap<SimulatedProcess, Map<string, number[]>>();
  readonly #unanswered = new WeakMap<SimulatedProcess, Map<string, number>>();
  /** When somebody asked for an access and scope for the last time. */
  readonly #askedUntil = new Map<string, number>();
  /** When accounts, or their credentials, were edited. */
  readonly #edits: { account: string; time: number }[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get count(): number {
    return this.#byId.size;
  }

  /** @param id the audit's */
  get(id: string | undefined): Exchange | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** @param id as statuses have it */
  named(id: string | undefined): Exchange | undefined {
    return this.get(this.#names.get(id ?? ''));
  }

  /** A process asks for a token. */
  asked(process: SimulatedProcess, { origin }: URL): void {
    const now = this.#world.clock.monotonic();
    const byEndpoint = this.#requests.get(process) ?? new Map<string, number[]>();
    this.#requests.set(process, byEndpoint);
    const recent = [...(byEndpoint.get(origin) ?? []).filter((time) => time > now - MINUTE), now];
    byEndpoint.set(origin, recent);
    if (recent.length > MAX_EXCHANGES_A_MINUTE)
      this.#fail(`${process.name} asked ${origin} for ${recent.length} tokens within a minute`);
  }

  /** A process has no usable answer to that. */
  unanswered(process: SimulatedProcess, { origin }: URL): void {
    const counts = this.#unanswered.get(process) ?? new Map<string, number>();
    this.#unanswered.set(process, counts.set(origin, (counts.get(origin) ?? 0) + 1));
  }

  /** A registry gave a token. */
  exchanged(exchange: Exchange): void {
    const { actor, journal } = this.#world;
    const { id, access, scope, account } = exchange;
    this.#byId.set(id, exchange);
    if (typeof actor !== 'object') return;
    const what = `${access} on ${scope.join() || 'everything'}`;
    journal.note(() => `${id} given to ${actor.name}: ${what}, at ${exchange.endpoint}`);
    const name = ACCOUNT_NAMES.find((each) => accountIdOf(each) === account) ?? '';
    if (!actor.misled && !this.#isWanted(name, access, scope))
      this.#fail(`${id} was exchanged for ${what}, which nobody asks account ${name} for`);
    this.#checkRun(actor, exchange, name);
  }

  #isWanted(account: string, access: Exchange['access'], scope: readonly string[]): boolean {
    const key = wishOf({ accountRef: { name: account }, access, scope: [...scope] });
    const since = this.#world.clock.monotonic() - (this.#askedUntil.get(key) ?? -Infinity);
    return since < PROMPTNESS || this.#world.tokens().some(({ spec }) => wishOf(spec) === key);
  }

  #checkRun(process: SimulatedProcess, { endpoint, access, scope }: Exchange, account: string): void {
    const now = this.#world.clock.monotonic();
    const runs = this.#runs.get(process) ?? new Map<string, Run>();
    this.#runs.set(process, runs);
    const key = JSON.stringify([endpoint, access, scope]);
    const run = runs.get(key) ?? { since: now, count: 0 };
    runs.set(key, run);
    run.count++;
    const edits = this.#edits.filter((edit) => edit.account === account && edit.time > run.since - NOTICING);
    const unanswered = this.#unanswered.get(process)?.get(endpoint) ?? 0;
    const allowed = 1 + Math.floor((now - run.since) / MINUTE) + edits.length + unanswered;
    if (run.count > allowed)
      this.#fail(
        `${process.name} exchanged ${run.count} tokens for ${key} within ${(now - run.since) / 1000} s`,
      );
  }

  // What happens in the cluster

  changed({ collection, type, object, previous }: Change): void {
    const { name, namespace } = asObject(object['metadata']);
    const isKey = collection === 'secrets' && namespace === this.#world.settings.operatorNamespace;
    if (!isKey && collection !== `${GROUP}/registryaccounts`) return;
    const generation = (each: JsonObject | undefined): Json | undefined =>
      asObject(each?.['metadata'])['generation'];
    if (!isKey && type === 'MODIFIED' && generation(previous) === generation(object)) return;
    this.#edits.push({ account: asText(name).replace(/-key$/, ''), time: this.#world.clock.monotonic() });
  }

  /** @param restored from a backup: what it says was decided earlier */
  tokenChanged(before: RegistryToken | undefined, token: RegistryToken, restored: boolean): void {
    const { metadata, status = {} } = token;
    for (const { spec } of [before ?? token, token])
      this.#askedUntil.set(wishOf(spec), this.#world.clock.monotonic());
    if (restored) return;
    const { previousTokens = [], mintIntent, token: record } = status;
    for (const { id, account } of previousTokens)
      if (this.#exchanges(account))
        this.#fail(`${metadata.name} is to revoke ${id}, which nobody can revoke`);
    if (mintIntent && this.#exchanges(mintIntent.account))
      this.#fail(`${metadata.name} recorded an intent to exchange`);
    if (record && this.#exchanges(record.account) && record.id !== before?.status?.token?.id)
      this.#recorded(token, record);
  }

  /** A status names a token. */
  #recorded({ metadata }: RegistryToken, record: TokenRecord): void {
    const secret = this.#world
      .secrets()
      .find(
        (each) =>
          ownerOf(each) === metadata.uid && each.metadata.annotations?.[TOKEN_ID_ANNOTATION] === record.id,
      );
    const exchange = secret && this.get(heldToken(this.#world.registries, secret));
    // Users, or another RegistryToken, changed the Secret meanwhile.
    if (!exchange) return;
    const known = this.#names.get(record.id) ?? exchange.id;
    this.#names.set(record.id, known);
    const wrong = (what: string): void =>
      this.#fail(`${metadata.name} names ${record.id}, which is ${exchange.id}, but ${what}`);
    if (known !== exchange.id) wrong(`called ${known} so before`);
    if (record.access !== exchange.access) wrong(`with access ${record.access}`);
    if (sorted(record.scope) !== sorted(exchange.scope)) wrong(`with scope ${record.scope?.join()}`);
    if (Math.abs(Date.parse(record.expiresAt ?? '') - exchange.expiresAt) > ROUNDING)
      wrong(`until ${record.expiresAt}`);
  }

  /** Looks for RegistryTokens that stay although nothing but exchanged tokens is theirs. To be called now and then. */
  checkDeletions(): void {
    const { clock, weather, webhooks } = this.#world;
    for (const { metadata, status = {} } of this.#world.tokens()) {
      if (metadata.deletionTimestamp === undefined || webhooks.isActive) continue;
      if (clock.monotonic() - weather.lastClusterTrouble < PROMPTNESS) return;
      const { token, previousTokens = [], mintIntent } = status;
      const waited = clock.now() - Date.parse(metadata.deletionTimestamp);
      const isPlain = token && previousTokens.length === 0 && !mintIntent;
      if (isPlain && this.#exchanges(token.account) && waited > MINUTE)
        this.#fail(
          `${metadata.name} is still there ${waited / 1000} s after its deletion, with nothing to revoke`,
        );
    }
  }

  #exchanges(account: string): boolean {
    return this.#world.registries.of(account).sessions !== undefined;
  }

  #fail(what: string): void {
    this.#world.audit.fail(what);
  }
}

const sorted = (scope: readonly string[] = []): string => [...scope].sort().join();

/** What a RegistryToken asks of its account. */
function wishOf({ accountRef, access, scope }: RegistryTokenSpec): string {
  return JSON.stringify([accountRef?.name ?? 'default', access ?? 'ReadOnly', sorted(scope)]);
}

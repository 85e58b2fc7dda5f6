import { TOKEN_ID_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { Change } from '../../sandbox/apiserver/change.ts';
import type { SecretObject } from '../support/world.ts';
import type { Audit } from './audit.ts';
import { isHeldBack, PATIENCE, patienceWith, PROMPTNESS } from './held-back.ts';
import { heldToken, hostsOf, ownerOf } from './held-token.ts';
import { deathOf, type KnownToken } from './mint-book.ts';
import type { World } from './world.ts';

const HOUR = 3_600_000;
/** A write may be held up on its way for this long. Milliseconds. */
const ON_THE_WAY = 30_000;
/** Milliseconds from a look at who uses a token to its revocation by the sweep. */
const SWEEPING = 2 * 60_000;

/**
 * Looks on at Secrets, and notes what must never:
 *
 * - No Secret that is somebody else's is changed.
 * - No Secret with which pods could pull is written so that they can't, however accounts, regions, hosts and endpoints are edited.
 * - No Secret is written with a token that is dead already, nor with one of another cluster.
 * - No Secret goes on holding a dead token while nothing keeps the operator from replacing it.
 * - No token is revoked that the Secret of a lasting RegistryToken holds, nor one of a RegistryToken that is gone while a Secret that
 *   was restored holds it.
 */
export class SecretAudit {
  readonly #world: World;
  /** RegistryTokens there are, by uid. */
  readonly #tokens: ReadonlyMap<string, RegistryToken>;
  readonly #everyUid: ReadonlySet<string>;
  /** Secret's uid -> who wrote it last. */
  readonly #writers = new Map<string, World['actor']>();

  constructor(world: World, tokens: ReadonlyMap<string, RegistryToken>, everyUid: ReadonlySet<string>) {
    this.#world = world;
    this.#tokens = tokens;
    this.#everyUid = everyUid;
  }

  get #audit(): Audit {
    return this.#world.audit;
  }

  /** A token that was created or exchanged. */
  #tokenOf(id: string | undefined): KnownToken | undefined {
    return this.#audit.mints.get(id) ?? this.#audit.exchanges.get(id);
  }

  #heldBy(secret: SecretObject): string | undefined {
    return heldToken(this.#world.registries, secret);
  }

  /** A token was revoked by the operator. */
  tokenRevoked(id: string): void {
    for (const secret of this.#world.secrets()) {
      const owner = this.#tokens.get(ownerOf(secret) ?? '');
      if (!owner || owner.metadata.deletionTimestamp !== undefined || this.#heldBy(secret) !== id) continue;
      const writer = this.#writers.get(secret.metadata.uid);
      // What users edit, and what a process writes that can't know that it was overtaken, is put right when it is noticed.
      if (writer === 'user' || (typeof writer === 'object' && writer.misled)) continue;
      this.#audit.fail(
        `token ${id} was revoked while Secret ${secret.metadata.name} of ${owner.metadata.name} held it`,
      );
    }
  }

  /** Whether a Secret is as a backup had it. */
  isRestored({ metadata }: SecretObject): boolean {
    return this.#writers.get(metadata.uid) === 'backup';
  }

  /** Of a restored Secret nobody can tell who uses it. */
  checkSwept(id: string): void {
    const now = this.#world.clock.now();
    for (const secret of this.#world.secrets()) {
      const { name, creationTimestamp } = secret.metadata;
      if (!this.isRestored(secret) || this.#heldBy(secret) !== id) continue;
      if (now - Date.parse(creationTimestamp ?? '') > SWEEPING)
        this.#audit.fail(`token ${id} was revoked while Secret ${name}, which was restored, held it`);
    }
  }

  changed({ type, object, previous }: Change): void {
    const { actor } = this.#world;
    const [now, before] = [object, previous] as unknown as [SecretObject, SecretObject | undefined];
    this.#writers.set(now.metadata.uid, actor);
    this.#world.journal.note(
      () =>
        `Secret ${now.metadata.name} ${type} by ${typeof actor === 'object' ? actor.name : actor}, holds ${this.#heldBy(now) ?? 'no token'}`,
    );
    const held = this.#audit.mints.get(this.#heldBy(now) ?? '');
    const left = before && this.#audit.mints.get(this.#heldBy(before) ?? '');
    // What a RegistryToken that is gone left in its Secret is found by a sweep alone, once another took the Secret over.
    if (before && left && held !== left && !this.#tokens.has(ownerOf(before) ?? '')) left.late = true;
    if (actor === 'backup' && held?.abandoned) held.stranded = true;
    if (typeof actor === 'object' && before && !this.#everyUid.has(ownerOf(before) ?? ''))
      this.#audit.fail(`${actor.name} changed Secret ${now.metadata.name}, which is somebody else's`);
    const { altersPayload } = this.#world.webhooks;
    if (typeof actor === 'object' && !actor.misled && type !== 'DELETED' && !altersPayload) {
      this.checkWritten(now);
      if (before) this.#checkNotWorse(before, now);
    }
  }

  /** Whether a Secret of a RegistryToken holds the token in force, and says so. */
  isHeld({ metadata, status }: RegistryToken): boolean {
    const id = status?.token?.id;
    const holds = this.#audit.exchanges.named(id)?.id ?? id;
    return this.#world.secrets().some((secret) => {
      const says = secret.metadata.annotations?.[TOKEN_ID_ANNOTATION];
      return (
        id !== undefined && says === id && ownerOf(secret) === metadata.uid && this.#heldBy(secret) === holds
      );
    });
  }

  /** Whether pods can pull with a Secret from any of its hosts. */
  #isGood(secret: SecretObject): boolean {
    const id = this.#heldBy(secret);
    return id !== undefined && hostsOf(secret).some((host) => this.#world.registries.accepts(host, id));
  }

  /**
   * No edit of accounts and hosts makes a Secret worse. Another RegistryToken may have taken it over; what users take away is noticed
   * later; and who asks for another region, with an account whose tokens are not tried, as far as its watch tells, gets what that is.
   */
  #checkNotWorse(before: SecretObject, now: SecretObject): void {
    if (ownerOf(before) !== ownerOf(now) || !this.#isGood(before) || this.#isGood(now)) return;
    if (this.#audit.takenAway.has(this.#heldBy(now) ?? '')) return;
    const token = this.#tokens.get(ownerOf(now) ?? '');
    const wanted = token && this.#world.places.wantedBy(token, this.#world.registries);
    const { token: inForce, previousTokens = [] } = token?.status ?? {};
    // What the Secret held need not be the token in force: a crash, or a write whose answer got lost, left it ahead of the status.
    const left = previousTokens.find(({ id }) => id === this.#heldBy(before)) ?? inForce;
    const { account = wanted?.account, region = wanted?.region } = left ?? {};
    const spec = this.#world.accounts().find(({ metadata }) => metadata.name === wanted?.account)?.spec;
    const isAsked = wanted?.account !== account || wanted?.region !== region;
    const isUntried =
      spec?.verify === 'Never' || this.#world.places.editsOf(wanted?.account ?? '', PROMPTNESS).verify;
    if (isUntried && (isAsked || spec?.ibmCloud)) return;
    this.#audit.fail(
      `Secret ${now.metadata.name} was good with ${hostsOf(before).join()} and token ${this.#heldBy(before)}, and is not with ${hostsOf(now).join()} and ${this.#heldBy(now)}`,
    );
  }

  /** What users took away at the registry is noticed later, and a write may be held up on its way. */
  checkWritten(secret: SecretObject): void {
    const held = this.#heldBy(secret) ?? '';
    if (this.#audit.elsewhere.has(held))
      this.#audit.fail(`Secret ${secret.metadata.name} was written with token ${held} of another cluster`);
    const token = this.#tokenOf(held);
    if (!token) return;
    const death = this.#audit.takenAway.has(held) ? (token.expiresAt ?? Infinity) : deathOf(token);
    const { clock, climate } = this.#world;
    if (death < clock.now() - climate.skew - ON_THE_WAY)
      this.#audit.fail(
        `Secret ${secret.metadata.name} was written with token ${held}, which was dead already`,
      );
  }

  /** Looks for Secrets that hold dead tokens for too long. To be called now and then. */
  look(): void {
    const { clock, weather, settings, webhooks } = this.#world;
    const now = clock.now();
    for (const secret of this.#world.secrets()) {
      const id = this.#heldBy(secret) ?? '';
      const held = this.#tokenOf(id);
      // Most live: no more is looked at.
      if (!held || now - deathOf(held) <= PROMPTNESS || webhooks.isActive) continue;
      const token = this.#tokens.get(ownerOf(secret) ?? '');
      if (!token || this.#audit.takenAway.has(id) || isHeldBack(token)) continue;
      const patience = patienceWith(token);
      if (clock.monotonic() - weather.lastTrouble < patience) continue;
      if (token.spec.secret?.name !== undefined && token.spec.secret.name !== secret.metadata.name) continue;
      const recent = this.#audit.mints
        .of(token.metadata.uid)
        .filter(({ mintedAt }) => mintedAt > now - HOUR - PATIENCE);
      if (settings.mintBudget > 0 && recent.length >= settings.mintBudget) continue;
      if (now - deathOf(held) > patience)
        this.#audit.fail(
          `Secret ${secret.metadata.name} has held dead token ${id} for ${(now - deathOf(held)) / 60_000} min`,
        );
    }
  }
}

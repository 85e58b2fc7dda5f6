import { GROUP } from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { Logger } from '../../src/common/logger.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { LeadershipLost } from '../../src/kube/election/leadership-lost.ts';
import type { Call } from '../../src/kube/transport/transport.ts';
import { RegistryError } from '../../src/registry/errors.ts';
import type { Change } from '../../sandbox/apiserver/change.ts';
import type { SecretObject } from '../support/world.ts';
import type { Snapshot } from './backups.ts';
import { foreignChange } from './cluster-token-audit.ts';
import { ExchangeAudit } from './exchange-audit.ts';
import { heldToken } from './held-token.ts';
import { PROMPTNESS } from './held-back.ts';
import { IntentBook, isOf } from './intent-book.ts';
import { judge } from './justification.ts';
import { deathOf, MintBook, tagOf, uidOf, type Mint } from './mint-book.ts';
import { API_KEYS } from './registries/api-keys.ts';
import type { Inquiry, Possession, TokenEvent } from './registries/provider.ts';
import { lifetimeFault } from './lifetimes.ts';
import { SecretAudit } from './secret-audit.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { Backup, World } from './world.ts';
import { WriteRates } from './write-rates.ts';

const HOUR = 3_600_000;
/** Every token's value begins so, in plain text and in base64. */
const VALUES = ['eyJ', 'ZXlK', ...API_KEYS.map(({ key }) => key)];
/** Milliseconds from a mint's intent, which is what the budget counts, to the mint itself. */
const ON_THE_WAY = 30_000;
/** Why users have another token created. */
const ASKED = new Set(['SpecChanged', 'PlaceChanged', 'RotationRequested', 'AccountRotation']);
/** A request that takes longer than this was held up on its way, in milliseconds. */
const HELD_UP = 5_000;

/** Milliseconds from the list of a deletion's last look until the RegistryToken is gone, at most. */
const LAST_LOOK = 1_000;

/**
 * Looks on as things happen, and notes what must never:
 *
 * - A token is created only for an intent that stands recorded, once for each revision, and each intent has a reason that
 *   the audit can see for itself.
 * - Of a RegistryToken's living tokens at most one is in no record (status.token, status.previousTokens), and that one is
 *   of the open intent's revision. Left out are those that came late, and those whose intent was given up while their account
 *   or region was gone.
 * - No token is revoked that is not ours, or that is kept on purpose.
 * - No living token of another cluster with the same ids is revoked while its RegistryToken is here, and none is ever used.
 * - A RegistryToken that goes leaves living tokens only after the deadline for their revocation.
 * - No object is written ever again and again, whatever webhooks make of it.
 * - No failure at a registry ends a reconcile without being told of.
 * - No value of a token or key is in a log line, or in anything written but Secrets.
 * - In no hour are more tokens created for a RegistryToken than its budget, or, where users ask for them, four times as many.
 * - A process that another has taken over from sends no write, no mint and no revocation, unless its clock stood still while
 *   it was frozen. Then, at least, what it does is put right.
 * - No token that expires lives shorter than was asked, nor longer than its registry rounds that up to.
 * - A token comes when nobody waits for it any more only where the network, or such a process, held it up.
 *
 * What concerns Secrets is in SecretAudit, and what concerns tokens that are exchanged in ExchangeAudit.
 */
export class Audit {
  readonly mints: MintBook;
  readonly exchanges: ExchangeAudit;
  readonly secrets: SecretAudit;
  /** What was found; the simulation ends with the first. */
  readonly violations: string[] = [];
  /** Writes by the operator to RegistryTokens and Secrets. */
  writes = 0;
  readonly #world: World;
  /** RegistryTokens there are, by uid. */
  readonly #tokens = new Map<string, RegistryToken>();
  readonly #everyUid = new Set<string>();
  /** Tokens that users took away at the registry, and tokens of others there. */
  readonly takenAway = new Set<string>();
  readonly others: Set<string>;
  /** What tokens hang on that came when nobody waited for it any more. */
  readonly lateIdentities = new Set<string>();
  /** Tokens that another cluster with the same ids made. */
  readonly elsewhere = new Set<string>();
  readonly #intents = new IntentBook();
  /** When processes that rightly believed that they lead asked for a token of a description. Monotonic milliseconds. */
  readonly #askedAt = new Map<string, number>();
  readonly #writeRates: WriteRates;

  constructor(world: World, backup?: Backup) {
    this.#world = world;
    this.#writeRates = new WriteRates(() => world.clock.monotonic());
    this.mints = backup?.mints ?? new MintBook();
    this.exchanges = new ExchangeAudit(world);
    this.secrets = new SecretAudit(world, this.#tokens, this.#everyUid);
    this.others = new Set(backup?.origin.audit.others);
    // What happened between the backup and now.
    for (const { id, revokedAt } of backup?.origin.audit.mints.all() ?? []) {
      const mint = this.mints.get(id);
      if (mint) this.#goneElsewhere(mint, revokedAt);
      else this.elsewhere.add(id);
    }
  }

  fail(what: string): void {
    this.#world.journal.note(() => `VIOLATION: ${what}`);
    this.violations.push(what);
  }

  // What is on its way

  sent(process: SimulatedProcess, { method, path, body }: Call): void {
    if (method === 'GET') return;
    this.#checkLeads(process, `${method} ${path}`);
    this.#world.journal.note(
      () => `${process.name} ${method} ${path} ${path.includes('/secrets') ? '' : JSON.stringify(body)}`,
    );
    if (/\/((cluster)?registrytokens|secrets)(\/|$)/.test(path)) {
      this.writes++;
      const excess = this.#writeRates.note(path);
      if (excess !== undefined) this.fail(excess);
    }
    if (path.includes('/secrets/') && method !== 'DELETE' && !process.misled)
      this.secrets.checkWritten(body as SecretObject);
    if (!path.includes('/secrets')) this.#searchValues(JSON.stringify(body), `${method} ${path}`);
  }

  /** A registry is asked to create or revoke a token. */
  asked(process: SimulatedProcess, { operation, purpose, description = '' }: Inquiry, url: URL): void {
    this.#checkLeads(process, `${operation} at ${url.host}`);
    if (purpose === 'mint') this.#mintAsked(process, description);
    if (purpose === 'exchange') this.exchanges.asked(process, url);
  }

  #checkLeads({ name, deposed, unaware }: SimulatedProcess, deed: string): void {
    if (deposed && !unaware) this.fail(`${name} sends ${deed} although another process leads`);
  }

  #mintAsked(process: SimulatedProcess, description: string): void {
    const tag = tagOf(description);
    if (!tag) return this.fail('a token is asked for without a tag');
    if (!process.unaware) this.#askedAt.set(description, this.#world.clock.monotonic());
    const intent = this.#tokens.get(tag.uid)?.status?.mintIntent;
    if (!process.unaware && !isOf(tag, intent))
      this.fail(`${process.name} asks for revision ${tag.revision} of ${tag.uid} without a recorded intent`);
  }

  loggerOf(process: SimulatedProcess): Logger {
    const log =
      (level: string) =>
      (fields: object, message: string): void => {
        const line = `${process.name} ${level} ${message} ${JSON.stringify(fields, showErrors)}`;
        this.#world.journal.note(() => line);
        this.#searchValues(line, 'a log line');
        const { err } = fields as { err?: unknown };
        if (level === 'error' && err instanceof RegistryError)
          this.fail(`a failure at a registry is told of nowhere: ${err.message}`);
      };
    return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  }

  /** A process' work ended: without being told to only when the API server can't be reached as it begins. */
  ended(process: SimulatedProcess, error: unknown, asked: boolean): void {
    if (asked || error instanceof LeadershipLost) return;
    if (error instanceof KubeError) this.#world.crash(process, `of ${error.message}`);
    else this.fail(`${process.name} gave up: ${String(error)}`);
  }

  mistaken(process: SimulatedProcess): void {
    this.fail(`${process.name} made a mistake of programming`);
  }

  #searchValues(text: string | undefined, where: string): void {
    const value = VALUES.find((each) => text?.includes(each));
    if (value !== undefined) this.fail(`a secret is in ${where}`);
  }

  // What happens at the registries

  issued(token: TokenEvent): void {
    const { actor, journal, climate, settings } = this.#world;
    if (actor === 'user') return void this.others.add(token.id);
    const tag = tagOf(token.description);
    const status = tag && this.#tokens.get(tag.uid)?.status;
    const intent = status?.mintIntent;
    if (actor === 'cluster') {
      // A request that was open when the backup was made is both clusters'.
      const shared = [intent, ...(status?.lostIntents ?? [])].some((each) => tag && isOf(tag, each));
      if (!shared) return void this.elsewhere.add(token.id);
    }
    const isUndone = tag !== undefined && this.#intents.isUndone(tag);
    if (isUndone && this.#tokens.has(tag.uid)) return void this.elsewhere.add(token.id);
    const askedAt = this.#askedAt.get(token.description) ?? -Infinity;
    // Of one that did not know that another leads, that one may have given up its request at any time.
    const isMisled = typeof actor === 'object' && actor.misled;
    const mint = this.mints.add(token, !tag || !isOf(tag, intent) || isMisled);
    const { uid, revision, id } = mint;
    if (mint.late && !isUndone && !mint.stranded && this.#world.clock.monotonic() - askedAt < HELD_UP)
      this.fail(`token ${id} came when nobody waited for it, though nothing held it up`);
    journal.note(() => `token ${id} created for ${uid}, revision ${revision}${mint.late ? ', late' : ''}`);
    const siblings = this.mints.of(uid);
    if (siblings.filter((each) => each.revision === revision).length > 1)
      this.fail(`revision ${revision} of ${uid} was created twice`);
    const recent = siblings.filter(({ mintedAt }) => mintedAt > token.time - HOUR + ON_THE_WAY);
    const ofItsKind = recent.filter((each) => this.#isAsked(each) === this.#isAsked(mint)).length;
    const allowed = settings.mintBudget * (this.#isAsked(mint) ? 4 : 1);
    if (allowed > 0 && climate.skew === 0 && ofItsKind > allowed)
      this.fail(`${ofItsKind} tokens were created for ${uid} within an hour`);
    const asked = intent && this.#intents.specOf(mint);
    const wrong = asked && climate.skew === 0 && lifetimeFault(token, asked, this.#world.registries);
    if (wrong) this.fail(`token ${id} ${wrong}`);
    this.#checkRecords(uid);
  }

  /** What tokens hang on was created. */
  founded(identity: Possession): void {
    const { actor, journal } = this.#world;
    if (actor === 'user') return void this.others.add(identity.id);
    journal.note(() => `${identity.id} created, ${identity.description}`);
    const uid = uidOf(identity.description);
    if (!this.#tokens.get(uid)?.status?.mintIntent) this.lateIdentities.add(identity.id);
  }

  #isAsked(mint: Mint): boolean {
    return ASKED.has(this.#intents.reasonOf(mint) ?? '');
  }

  revoked({ id, time, description, expiresAt }: TokenEvent): void {
    const { actor, journal } = this.#world;
    const mint = this.mints.get(id);
    if (actor === 'cluster') return mint && this.#goneElsewhere(mint, time);
    journal.note(() => `token ${id} revoked by ${nameOf(actor)}`);
    if (mint) mint.revokedAt = time;
    if (actor === 'user') return void this.takenAway.add(id);
    const uid = tagOf(description)?.uid ?? '';
    // What expired is deleted where the registry keeps it, by the sweep or with what it hung on, whoever made it. Where its
    // RegistryToken is gone here, nobody can tell that it lives elsewhere.
    const wasDead = (expiresAt ?? Infinity) <= time;
    if (!mint && this.elsewhere.has(id) && (wasDead || !this.#tokens.has(uid))) return;
    if (!mint) return this.fail(`token ${id}, which is not ours, was revoked`);
    if (!wasDead && this.retained().has(id))
      return this.fail(`token ${id} was revoked although it is kept on purpose`);
    if (!this.#tokens.has(uid)) this.secrets.checkSwept(id);
    this.secrets.tokenRevoked(id);
  }

  /**
   * A backup is restored over the cluster. What comes, or came, of an intent that was recorded since is as another cluster's: the
   * cluster no longer knows of it. What was revoked since is gone without its knowledge.
   */
  rolledBack({ time, objects }: Snapshot): void {
    this.#intents.undoSince(time);
    for (const token of objects.get(`${GROUP}/registrytokens`) as unknown as RegistryToken[]) {
      for (const mint of this.mints.of(token.metadata.uid)) {
        // Its request is open again, and may be given up.
        if (isOf(mint, token.status?.mintIntent)) mint.inForce = false;
        if (this.#intents.isUndone(mint)) {
          this.mints.remove(mint);
          this.elsewhere.add(mint.id);
        } else this.#goneElsewhere(mint, mint.revokedAt);
      }
    }
  }

  /** Another cluster revoked a token that both know. */
  #goneElsewhere(mint: Mint, time: number | undefined): void {
    if (time === undefined) return;
    mint.revokedAt = time;
    this.takenAway.add(mint.id);
  }

  retained(): Set<string> {
    return new Set(
      this.#world
        .accounts()
        .flatMap(({ status }) => status?.retainedTokens ?? [])
        .map(({ id }) => id),
    );
  }

  /** Looks for what lasts too long. To be called now and then. */
  look(): void {
    this.secrets.look();
    this.exchanges.checkDeletions();
  }

  // What happens in the cluster

  changed(change: Change): void {
    if (change.collection === 'secrets') this.secrets.changed(change);
    if (change.collection === `${GROUP}/registrytokens`) this.#tokenChanged(change);
    this.exchanges.changed(change);
  }

  #tokenChanged(change: Change): void {
    const { type, object, previous } = change;
    const [token, before] = [object, previous] as unknown as [RegistryToken, RegistryToken | undefined];
    const { uid } = token.metadata;
    this.#everyUid.add(uid);
    const intrusion = foreignChange(this.#world, change);
    if (intrusion !== undefined) this.fail(intrusion);
    this.#world.journal.note(
      () => `RegistryToken ${token.metadata.name} ${type} by ${nameOf(this.#world.actor)}`,
    );
    const isRestored = this.#world.actor === 'backup';
    if (isRestored && before && (type === 'DELETED' || before.metadata.uid !== uid)) this.#undone(before);
    if (type === 'DELETED') {
      this.#tokens.delete(uid);
      return isRestored ? undefined : this.#gone(token);
    }
    this.#tokens.set(uid, token);
    const { status } = token;
    const exchanges = this.#world.registries.of(status?.token?.account ?? 'default').sessions !== undefined;
    if (status?.token && status.token.id !== before?.status?.token?.id && !exchanges) {
      const mint = this.mints.get(status.token.id);
      if (mint?.uid !== uid) this.fail(`${token.metadata.name} took a token that was not made for it`);
      else mint.inForce = true;
    }
    // What is restored was decided elsewhere, or earlier.
    this.exchanges.tokenChanged(before, token, isRestored);
    if (isRestored) return this.#checkRecords(uid);
    if (exchanges && before && status?.token?.id !== before.status?.token?.id) this.#exchanged(before, token);
    this.#checkStranded(before, token);
    if (status?.mintIntent) this.#intents.note(uid, status.mintIntent, token.spec, this.#world.clock.now());
    if (status?.mintIntent && status.mintIntent.startedAt !== before?.status?.mintIntent?.startedAt)
      this.#decided(token);
    this.#checkRecords(uid);
  }

  /** An intent was given up where its place is gone, or was when somebody last heard of it. */
  #checkStranded(before: RegistryToken | undefined, { metadata, status }: RegistryToken): void {
    const intent = before?.status?.mintIntent;
    if (!intent || status?.mintIntent?.revision === intent.revision) return;
    const recorded = [status?.token, ...(status?.previousTokens ?? [])];
    if (recorded.some((each) => each?.revision === intent.revision)) return;
    if (this.#world.places.wasGone(intent, PROMPTNESS)) this.mints.strand(metadata.uid, intent.revision);
  }

  /** Nothing is recorded before an exchange; why there was one stands beside what it gave. */
  #exchanged({ status: before = {} }: RegistryToken, token: RegistryToken): void {
    const { token: record, lastRotation } = token.status ?? {};
    if (!record || !lastRotation) return;
    const { account, region, place, specHash, revision } = record;
    const request = { account, region, place, access: record.access, specHash, revision };
    const mintIntent = {
      ...request,
      reason: lastRotation.reason,
      startedAt: '',
      phase: 'Announced' as const,
    };
    this.#decided({ ...token, status: { ...before, mintIntent } });
  }

  #decided(token: RegistryToken): void {
    const { clock, climate, places, actor } = this.#world;
    const name = token.spec.accountRef?.name ?? 'default';
    const account = this.#world.accounts().find(({ metadata }) => metadata.name === name);
    const tolerance = climate.skew + 5_000;
    const edits = places.editsOf(name, PROMPTNESS);
    const record = token.status?.token;
    const inForce = this.mints.get(record?.id) ?? this.exchanges.named(record?.id);
    const provider = this.#world.registries.of(name);
    const now = clock.now();
    // One that does not know that another leads does not know what that one issued.
    const isMisled = typeof actor === 'object' && actor.misled;
    const isHeld = this.secrets.isHeld(token) && !isMisled;
    const objection = judge({ token, account, provider, inForce, isHeld, now, tolerance, edits });
    if (objection !== undefined) this.fail(`${token.metadata.name}: ${objection}`);
  }

  #checkRecords(uid: string): void {
    const token = this.#tokens.get(uid);
    if (!token) return;
    const { status = {}, metadata } = token;
    const recorded = new Set([status.token?.id, ...(status.previousTokens ?? []).map(({ id }) => id)]);
    const now = this.#world.clock.now();
    const unrecorded = this.mints
      .of(uid)
      .filter((mint) => deathOf(mint) > now && !mint.late && !mint.stranded && !recorded.has(mint.id));
    const expected = unrecorded.filter((mint) => isOf(mint, status.mintIntent));
    if (unrecorded.length === expected.length && expected.length <= 1) return;
    this.fail(
      `${metadata.name} has unrecorded tokens: ${unrecorded.map(({ revision, id }) => `${id} (revision ${revision})`).join()}`,
    );
  }

  /** A backup from before its creation was restored. */
  #undone({ metadata }: RegistryToken): void {
    this.#tokens.delete(metadata.uid);
    for (const mint of this.mints.of(metadata.uid)) mint.abandoned = true;
  }

  #gone({ metadata, spec, status }: RegistryToken): void {
    const { clock, settings } = this.#world;
    const waited = clock.now() - Date.parse(metadata.deletionTimestamp ?? '');
    const retained = this.retained();
    // Where its account is gone, nothing but the Secret remembers what was kept on purpose.
    if (spec.deletionPolicy === 'Retain')
      for (const secret of this.#world.secrets())
        retained.add(heldToken(this.#world.registries, secret) ?? '');
    for (const mint of this.mints.of(metadata.uid)) {
      if (deathOf(mint) <= clock.now() || retained.has(mint.id)) continue;
      mint.abandoned = true;
      // What comes of an open request while its last look at the registry is under way is for the sweep.
      if (isOf(mint, status?.mintIntent) && mint.mintedAt > clock.now() - LAST_LOOK) mint.late = true;
      if (!mint.late && !mint.stranded && !(waited >= settings.revocationDeadline - 1_000))
        this.fail(
          `${metadata.name} went after ${waited} ms and left token ${mint.id}; status ${JSON.stringify(status)}`,
        );
    }
  }
}

const nameOf = (actor: World['actor']): string => (typeof actor === 'object' ? actor.name : actor);

const showErrors = (_: string, value: unknown): unknown =>
  value instanceof Error ? [value.name, value.message, ...Object.entries(value)] : value;

import type { MintIntent, Place } from '../../api/registry-token.ts';
import type { IssuedToken } from '../../registry/port.ts';
import type { DeletionProgress } from '../../token/lifecycle/deletion-deadline.ts';
import { hostPause } from '../../token/lifecycle/pending-host.ts';
import { MAX_PREVIOUS } from '../../token/lifecycle/previous-tokens.ts';
import { includesToken, isSamePlace, isSameToken, type TokenKey } from '../../token/lifecycle/place.ts';
import type { Stake, Use, Waiting } from '../../token/decide/verification.ts';
import { Contest } from '../shared/write-contest.ts';

/** More than a status can name. */
const MAX_TOKENS = 2 * MAX_PREVIOUS;

interface Entry {
  issued?: { token: IssuedToken; place: Place };
  /** Tokens that this process saw to be this RegistryToken's: created for it, or found by its tag. */
  own: TokenKey[];
  /** Tokens that could not be revoked, since their account did not lead to where they were issued. */
  elsewhere: TokenKey[];
  /** Tokens that this process revoked, or that surely expired, until no status names them: that the registry lacks them is no news. */
  dead: TokenKey[];
  /** What a recorded intent gave, until the status says so. */
  minted?: { revision: number; token: TokenKey };
  /** The last intent whose token was revoked. */
  spent?: IntentKey;
  /** What came of which intent is looked for, and since when. */
  sought?: { revision: number; nonce: string | undefined; since: number };
  /** Tokens that their registry no longer has. */
  gone: TokenKey[];
  /** The last token in force whose value nobody had, and the Secret in which it was looked for. */
  valueLost?: { token: TokenKey; secretVersion: string | undefined };
  /** The last token in force of which the status says that it is dead. */
  toldDead?: TokenKey;
  /** What was decided last about a new token. */
  tried?: { revision: number; ruling: Use | Waiting; trial: Trial };
  /** Tries in vain of a host that the account names anew. */
  host?: { name: string; attempts: number; tryAt: number };
  /** Repairs of the Secret. */
  repairs: Contest;
  deletionBegunAt?: number;
  deletionTries: number;
}

/** What tells an intent from others: whoever may write a status can give another place the revision of one. */
type IntentKey = Pick<MintIntent, 'revision' | 'place'>;

/** What a decision about a new token holds for. */
export interface Trial {
  /** Version of its account. */
  account: string | undefined;
  /** Where it was tried. */
  host: string;
  /** What pods would have lost. */
  stake: Stake;
  /** Of tokens that are exchanged, several can have one revision. */
  token: TokenKey | undefined;
  /** When its mint began, milliseconds since 1970; of tokens that are exchanged anew for each try, that of the first. */
  startedAt: number;
}

/**
 * What the running operator knows of RegistryTokens beyond their status: values of tokens, which never go into a status,
 * and what only matters while it runs. Losing it costs a read-back, never a token. Keyed by uid; tokens are told apart by
 * identifier and place.
 */
export class Memory {
  readonly #entries = new Map<string, Entry>();

  /** The token, when its value is known. */
  recall(uid: string, token: TokenKey | undefined): IssuedToken | undefined {
    const issued = this.#entries.get(uid)?.issued;
    return issued && token && isSameToken(keyOf(issued), token) ? issued.token : undefined;
  }

  /**
   * @param place where it was issued
   * @param isRevocable whether it will have to be known as this RegistryToken's when it is revoked
   */
  remember(uid: string, token: IssuedToken, place: Place, isRevocable = true): void {
    const entry = this.#entry(uid);
    entry.issued = { token, place };
    const key = keyOf(entry.issued);
    if (isRevocable) entry.own = including(entry.own, key);
    // The registry just gave it.
    entry.gone = without(entry.gone, key);
    entry.dead = without(entry.dead, key);
  }

  /** Whether this process saw that the token is this RegistryToken's; what a status says alone proves nothing. */
  isOwn(uid: string, token: TokenKey): boolean {
    return includesToken(this.#entries.get(uid)?.own ?? [], token);
  }

  /** The token carries our tag for this RegistryToken at the registry. */
  noteOwn(uid: string, token: TokenKey): void {
    const entry = this.#entry(uid);
    entry.own = including(entry.own, token);
  }

  /** Whether a token could not be revoked because its account does not lead to where it was issued. */
  noteElsewhere(uid: string, token: TokenKey, elsewhere: boolean): void {
    const entry = this.#entry(uid);
    entry.elsewhere = elsewhere ? including(entry.elsewhere, token) : without(entry.elsewhere, token);
  }

  wasElsewhere(uid: string, token: TokenKey): boolean {
    return includesToken(this.#entries.get(uid)?.elsewhere ?? [], token);
  }

  /** The token is dead: nobody may find it, nor its value, as what an intent gave. */
  noteDead(uid: string, token: TokenKey): void {
    const entry = this.#entry(uid);
    const { issued, minted } = entry;
    entry.own = without(entry.own, token);
    entry.dead = including(entry.dead, token);
    if (issued && isSameToken(keyOf(issued), token)) delete entry.issued;
    if (!minted || !isSameToken(minted.token, token)) return;
    entry.spent = { revision: minted.revision, place: minted.token.place };
    delete entry.minted;
  }

  /** Whether the token is dead: what was to follow may have to be tried again, but not its revocation. */
  isDead(uid: string, token: TokenKey): boolean {
    return includesToken(this.#entries.get(uid)?.dead ?? [], token);
  }

  /** Forgets dead tokens that the status does not name any more: nobody asks for their revocation again. */
  keepDead(uid: string, named: readonly TokenKey[]): void {
    const entry = this.#entries.get(uid);
    if (entry) entry.dead = entry.dead.filter((token) => includesToken(named, token));
  }

  /** @param tokenId of what this process created for the intent, or found to have come of it */
  rememberIntent(uid: string, { revision, place }: IntentKey, tokenId: string): void {
    this.#entry(uid).minted = { revision, token: { id: tokenId, place } };
  }

  /** The token that this process created for an intent. */
  intentResult(uid: string, { revision, place }: IntentKey): TokenKey | undefined {
    const minted = this.#entries.get(uid)?.minted;
    const isMeant = minted?.revision === revision && isSamePlace(minted.token.place, place);
    return isMeant ? minted.token : undefined;
  }

  /** Whether the token of an intent was revoked: nothing else comes of it. */
  isSpent(uid: string, { revision, place }: IntentKey): boolean {
    const spent = this.#entries.get(uid)?.spent;
    return spent?.revision === revision && isSamePlace(spent.place, place);
  }

  /**
   * Since when this process has looked for what came of an intent: its request was over by then. Unlike any time in a status, this
   * is by a clock that nobody sets.
   * @param now of the monotonic clock, milliseconds
   */
  soughtSince(uid: string, { revision, nonce }: Pick<MintIntent, 'revision' | 'nonce'>, now: number): number {
    const entry = this.#entry(uid);
    const { sought } = entry;
    if (sought?.revision === revision && sought.nonce === nonce) return sought.since;
    entry.sought = { revision, nonce, since: now };
    return now;
  }

  /** The token of an intent is of no use: it must not be found again. */
  forgetIntent(uid: string): void {
    const entry = this.#entry(uid);
    delete entry.minted;
    delete entry.tried;
  }

  /** What was decided about the new token of an intent, now that it was tried. */
  noteRuling(uid: string, revision: number, ruling: Use | Waiting, trial: Trial): void {
    this.#entry(uid).tried = { revision, ruling, trial };
  }

  /** What was decided about the new token of an intent last; undefined when this process has not tried it. */
  ruling(uid: string, revision: number): Use | Waiting | undefined {
    const tried = this.#entries.get(uid)?.tried;
    return tried?.revision === revision ? tried.ruling : undefined;
  }

  /** How the new token of a RegistryToken was tried last. */
  trial(uid: string): Trial | undefined {
    return this.#entries.get(uid)?.tried?.trial;
  }

  /** The registry said that it has no such token any more. */
  markGone(uid: string, token: TokenKey): void {
    const entry = this.#entry(uid);
    entry.gone = including(entry.gone, token);
  }

  isGone(uid: string, token: TokenKey | undefined): boolean {
    return token !== undefined && includesToken(this.#entries.get(uid)?.gone ?? [], token);
  }

  /**
   * The token may live, but neither this process nor the Secret has its value, and the registry does not give it again. Whoever
   * changes the Secret can bring it back.
   * @param secretVersion of the Secret as it was seen; undefined where there was none
   */
  markValueLost(uid: string, { id, place }: TokenKey, secretVersion: string | undefined): void {
    this.#entry(uid).valueLost = { token: { id, place }, secretVersion };
  }

  /** Whether the value was looked for in vain, and the Secret is the same since. @param secretVersion as of `markValueLost` */
  isValueLost(uid: string, token: TokenKey | undefined, secretVersion: string | undefined): boolean {
    const lost = this.#entries.get(uid)?.valueLost;
    if (!token || !lost) return false;
    return lost.secretVersion === secretVersion && isSameToken(lost.token, token);
  }

  /** The status says that pods can't pull with the token any more. */
  noteToldDead(uid: string, { id, place }: TokenKey): void {
    this.#entry(uid).toldDead = { id, place };
  }

  isToldDead(uid: string, token: TokenKey): boolean {
    const told = this.#entries.get(uid)?.toldDead;
    return told !== undefined && isSameToken(told, token);
  }

  /** The token was tried at that host in vain. @param now milliseconds since 1970 @returns when to try again */
  noteHostTried(uid: string, name: string, now: number): number {
    const entry = this.#entry(uid);
    const attempts = entry.host?.name === name ? entry.host.attempts + 1 : 1;
    const tryAt = now + hostPause(attempts);
    entry.host = { name, attempts, tryAt };
    return tryAt;
  }

  /** When to try the token at that host again, milliseconds since 1970; undefined: it was not tried. */
  hostTryAt(uid: string, name: string): number | undefined {
    const host = this.#entries.get(uid)?.host;
    return host?.name === name ? host.tryAt : undefined;
  }

  /** Counts one more repair of a Secret. @param now of a monotonic clock, milliseconds */
  countRepair(uid: string, now: number): void {
    this.#entry(uid).repairs.count(now);
  }

  /** Milliseconds to wait before the Secret is repaired again: 0 at first, then ever longer while the fight goes on. */
  repairPause(uid: string, now: number): number {
    return this.#entries.get(uid)?.repairs.pause(now) ?? 0;
  }

  /** A deleted RegistryToken is worked on. @returns since when, and how many tries have failed */
  beginDeletion(uid: string, now: number): Omit<DeletionProgress, 'noticedAt'> {
    const entry = this.#entry(uid);
    entry.deletionBegunAt ??= now;
    return { begunAt: entry.deletionBegunAt, failedTries: entry.deletionTries };
  }

  /** Counts one more failed try to take down what a deletion leaves. @returns how many there were */
  countDeletionTry(uid: string): number {
    return ++this.#entry(uid).deletionTries;
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  #entry(uid: string): Entry {
    let entry = this.#entries.get(uid);
    if (!entry) {
      entry = {
        own: [],
        elsewhere: [],
        dead: [],
        gone: [],
        repairs: new Contest(),
        deletionTries: 0,
      };
      this.#entries.set(uid, entry);
    }
    return entry;
  }
}

function keyOf({ token, place }: { token: IssuedToken; place: Place }): TokenKey {
  return { id: token.id, place };
}

/** With the token, once, and the latest of too many; of its record no more than tells it from others. */
function including(tokens: TokenKey[], { id, place }: TokenKey): TokenKey[] {
  return includesToken(tokens, { id, place }) ? tokens : [...tokens, { id, place }].slice(-MAX_TOKENS);
}

function without(tokens: TokenKey[], token: TokenKey): TokenKey[] {
  return includesToken(tokens, token) ? tokens.filter((other) => !isSameToken(other, token)) : tokens;
}

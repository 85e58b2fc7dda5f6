import type { MintIntent } from '../../api/registry-token.ts';
import type { IssuedToken } from '../../registry/port.ts';
import type { DeletionProgress } from '../../token/lifecycle/deletion-deadline.ts';
import { hostPause } from '../../token/lifecycle/pending-host.ts';
import type { Stake, Use, Waiting } from '../../token/decide/verification.ts';
import { Contest } from '../shared/write-contest.ts';

interface Entry {
  issued?: IssuedToken;
  /** Identifiers of tokens that this process saw to be this RegistryToken's: created for it, or found by its tag. */
  own: Set<string>;
  /** Identifiers of tokens that could not be revoked, since their account did not lead to where they were issued. */
  elsewhere: Set<string>;
  /** What a recorded intent gave, until the status says so. */
  minted?: { revision: number; tokenId: string };
  /** Revision of the last intent whose token was revoked. */
  spent?: number;
  /** What came of which intent is looked for, and since when. */
  sought?: { revision: number; nonce: string | undefined; since: number };
  /** Identifiers of tokens that the registry no longer has. */
  gone: Set<string>;
  /** Identifier of the last token in force of which the status says that it is dead. */
  toldDead?: string;
  /** What was decided last about a new token. */
  tried?: { revision: number; ruling: Use | Waiting; trial: Trial };
  /** Tries in vain of a host that the account names anew. */
  host?: { name: string; attempts: number; tryAt: number };
  /** Repairs of the Secret. */
  repairs: Contest;
  deletionBegunAt?: number;
  deletionTries: number;
}

/** What a decision about a new token holds for. */
export interface Trial {
  /** Version of its account. */
  account: string | undefined;
  /** Where it was tried. */
  host: string;
  /** What pods would have lost. */
  stake: Stake;
  /** Identifier of the token. Of tokens that are exchanged, several can have one revision. */
  tokenId: string | undefined;
  /** When its mint began, milliseconds since 1970; of tokens that are exchanged anew for each try, that of the first. */
  startedAt: number;
}

/**
 * What the running operator knows of RegistryTokens beyond their status: values of tokens, which never go into a status,
 * and what only matters while it runs. Losing it costs a read-back, never a token. Keyed by uid.
 */
export class Memory {
  readonly #entries = new Map<string, Entry>();

  /** The token of that id, when its value is known. */
  recall(uid: string, tokenId: string | undefined): IssuedToken | undefined {
    const issued = this.#entries.get(uid)?.issued;
    return issued?.id === tokenId ? issued : undefined;
  }

  remember(uid: string, issued: IssuedToken): void {
    const entry = this.#entry(uid);
    entry.issued = issued;
    entry.own.add(issued.id);
    // The registry just gave it.
    entry.gone.delete(issued.id);
  }

  /** Whether this process saw that the token is this RegistryToken's; what a status says alone proves nothing. */
  isOwn(uid: string, tokenId: string): boolean {
    return this.#entries.get(uid)?.own.has(tokenId) ?? false;
  }

  /** The token carries our tag for this RegistryToken at the registry. */
  noteOwn(uid: string, tokenId: string): void {
    this.#entry(uid).own.add(tokenId);
  }

  /** Whether a token could not be revoked because its account does not lead to where it was issued. */
  noteElsewhere(uid: string, tokenId: string, elsewhere: boolean): void {
    const entry = this.#entry(uid);
    if (elsewhere) entry.elsewhere.add(tokenId);
    else entry.elsewhere.delete(tokenId);
  }

  wasElsewhere(uid: string, tokenId: string): boolean {
    return this.#entries.get(uid)?.elsewhere.has(tokenId) ?? false;
  }

  /** The token is dead: nobody may find it, nor its value, as what an intent gave. */
  noteRevoked(uid: string, tokenId: string): void {
    const entry = this.#entries.get(uid);
    if (!entry) return;
    entry.own.delete(tokenId);
    if (entry.issued?.id === tokenId) delete entry.issued;
    if (entry.minted?.tokenId !== tokenId) return;
    entry.spent = entry.minted.revision;
    delete entry.minted;
  }

  rememberIntent(uid: string, revision: number, tokenId: string): void {
    this.#entry(uid).minted = { revision, tokenId };
  }

  /** Identifier of the token that this process created for an intent. */
  intentResult(uid: string, revision: number): string | undefined {
    const minted = this.#entries.get(uid)?.minted;
    return minted?.revision === revision ? minted.tokenId : undefined;
  }

  /** Whether the token of an intent was revoked: nothing else comes of it. */
  isSpent(uid: string, revision: number): boolean {
    return this.#entries.get(uid)?.spent === revision;
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
  markGone(uid: string, tokenId: string): void {
    this.#entry(uid).gone.add(tokenId);
  }

  isGone(uid: string, tokenId: string | undefined): boolean {
    return tokenId !== undefined && (this.#entries.get(uid)?.gone.has(tokenId) ?? false);
  }

  /** The status says that pods can't pull with the token any more. */
  noteToldDead(uid: string, tokenId: string): void {
    this.#entry(uid).toldDead = tokenId;
  }

  isToldDead(uid: string, tokenId: string): boolean {
    return this.#entries.get(uid)?.toldDead === tokenId;
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
        own: new Set(),
        elsewhere: new Set(),
        gone: new Set(),
        repairs: new Contest(),
        deletionTries: 0,
      };
      this.#entries.set(uid, entry);
    }
    return entry;
  }
}

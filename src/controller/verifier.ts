import type { MintIntent } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import type { Verdict } from '../common/verdict.ts';
import { RegistryError } from '../registry/errors.ts';
import type { IssuedToken } from '../registry/port.ts';
import { isWaiting, recordedRefusal, rule, type Ruling } from '../token/verification.ts';
import type { AccountSessions } from './account-sessions.ts';
import type { Memory } from './memory.ts';

export interface VerifierOptions {
  sessions: AccountSessions;
  memory: Memory;
  clock: Clock;
}

/** Tries new tokens at the registry before a Secret gets them. */
export class Verifier {
  readonly #options: VerifierOptions;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /** Takes up what an intent says of a try that an earlier process made of its token. @param uid of the RegistryToken */
  recall(uid: string, intent: MintIntent): void {
    const { memory } = this.#options;
    const { revision } = intent;
    const refusal = recordedRefusal(intent);
    if (refusal && !memory.ruling(uid, revision)) memory.noteRuling(uid, revision, refusal, undefined);
  }

  /**
   * Tries the token of an intent, unless that was decided already, or it was refused a moment ago. What the account says of
   * hosts, or of whether tokens are tried at all, counts as soon as it changes.
   * @param uid of the RegistryToken
   * @param adopting as in `rule`
   * @throws only the signal's reason
   */
  async verify(
    uid: string,
    intent: MintIntent,
    issued: IssuedToken,
    adopting: boolean,
    signal: AbortSignal,
  ): Promise<Ruling> {
    const { memory, clock, sessions } = this.#options;
    const account = sessions.version(intent.account);
    const before = memory.ruling(uid, intent.revision);
    if (before?.action === 'use') return before;
    const sameAccount = account === memory.triedWith(uid);
    if (before && sameAccount && isWaiting(before, clock.now())) return before;
    const verdict = await this.#try(intent, issued, signal);
    if (!verdict) return { action: 'use', doubt: undefined };
    const ruling = rule(verdict, before, Date.parse(intent.startedAt), clock.now(), adopting);
    // What is not known is no refusal that counts when it is tried again.
    const counts = ruling.action === 'use' || verdict.answer === 'refused' || before !== undefined;
    if (ruling.action !== 'refuse' && counts) memory.noteRuling(uid, intent.revision, ruling, account);
    return ruling;
  }

  /** @returns undefined where tokens are not to be tried */
  async #try(
    { account, region }: MintIntent,
    { username, value }: IssuedToken,
    signal: AbortSignal,
  ): Promise<Verdict | undefined> {
    const { sessions } = this.#options;
    try {
      return await sessions.door(account, region)?.try(username, value, signal);
    } catch (error) {
      if (error instanceof RegistryError) return { answer: 'unknown', message: error.message };
      throw error;
    }
  }
}

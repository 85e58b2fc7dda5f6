import type { MintIntent, TokenRecord } from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import type { Verdict } from '../../common/verdict.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { IssuedToken } from '../../registry/port.ts';
import {
  isWaiting,
  recordedRefusal,
  rule,
  type Ruling,
  type Stake,
} from '../../token/decide/verification.ts';
import type { Wanted } from '../../token/decide/eligibility.ts';
import { isSameToken } from '../../token/lifecycle/place.ts';
import type { AccountSessions } from '../account/account-sessions.ts';
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
    const startedAt = Date.parse(intent.startedAt);
    if (refusal && !memory.ruling(uid, revision))
      memory.noteRuling(uid, revision, refusal, {
        account: undefined,
        token: undefined,
        host: '',
        stake: 'nothing',
        startedAt,
      });
  }

  /**
   * Tries the token of an intent, unless that was decided already, or it was refused a moment ago. What the account says of
   * hosts, or of whether tokens are tried at all, counts as soon as it changes.
   * @param uid of the RegistryToken
   * @param wanted the host that the account names. It is not used for anything but this token, so the intent's region must be wanted
   * @param stake what pods would lose; see `rule`. Where it is anything, the account does not say whether to try
   * @throws only the signal's reason
   */
  async verify(
    uid: string,
    intent: MintIntent,
    issued: IssuedToken,
    { host, settling }: Pick<Wanted, 'host' | 'settling'>,
    stake: Stake,
    signal: AbortSignal,
  ): Promise<Ruling> {
    const { memory, clock, sessions } = this.#options;
    const account = sessions.version(intent.account);
    const before = memory.ruling(uid, intent.revision);
    const last = memory.trial(uid);
    // What a host said of the token says nothing of another, nor did it have to accept it for what is at stake now.
    const token = { id: issued.id, place: intent.place };
    const isSame = last?.token !== undefined && isSameToken(last.token, token);
    const isDecided = isSame && last.host === host && last.stake === stake;
    if (before?.action === 'use' && isDecided) return before;
    const waited = before?.action === 'wait' ? before : undefined;
    if (waited && last?.account === account && isWaiting(waited, stake, clock.now())) return waited;
    if (stake === 'nothing' && !sessions.verifies(intent.account)) return { action: 'use', doubt: undefined };
    const verdict = await this.try(intent, host, issued, signal);
    const { acceptance } = settling;
    const startedAt = waited && last ? last.startedAt : Date.parse(intent.startedAt);
    const ruling = rule(verdict, waited, { stake, startedAt, acceptance }, clock.now());
    if (ruling.action !== 'refuse')
      memory.noteRuling(uid, intent.revision, ruling, {
        account,
        host,
        stake,
        token,
        startedAt,
      });
    return ruling;
  }

  /** Tries a token of a region at a host. @throws only the signal's reason */
  async try(
    { account, region, access, scope = [] }: Pick<TokenRecord, 'account' | 'region' | 'access' | 'scope'>,
    host: string,
    { username, value }: Pick<IssuedToken, 'username' | 'value'>,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const { sessions } = this.#options;
    try {
      const attempt = { username, password: value, access, scope };
      return await sessions.loginProbe(account, region, host).try(attempt, signal);
    } catch (error) {
      if (error instanceof RegistryError) return { answer: 'unknown', message: error.message };
      throw error;
    }
  }
}

import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { prefix } from '../../api/syntax/text.ts';
import { fromTime } from '../../api/syntax/time.ts';
import { CLOCK_ERROR } from '../lifecycle/clock-skew.ts';

/** What an account's status says of the rotation asked for last. */
export interface RotationProgress {
  requestedAt: string;
  done: number;
  total: number;
}

/** The rotation that an account asks of all its tokens, any text; empty: none. */
export function rotationAsked({ spec }: RegistryAccount): string {
  return prefix(spec.rotation?.requestedAt ?? '', 256);
}

/**
 * Whether the token in force is older than what was asked for. One that is still to be issued will not be. Where both what
 * is asked and what was handled last are times, an earlier time asks for nothing: it comes back when a release is rolled back.
 */
export function isToRotate({ status }: RegistryToken, asked: string): boolean {
  const handled = status?.lastHandledAccountRotation;
  return status?.token !== undefined && lastHandled(handled, asked) !== handled;
}

/** What a RegistryToken has handled last, once a token was minted for what is asked now; the earlier of two times changes nothing. */
export function lastHandled(handled: string | undefined, asked = ''): string | undefined {
  if (asked === '') return handled;
  const [before, now] = [timeIn(handled), timeIn(asked)];
  return before !== undefined && now !== undefined && now < before ? handled : asked;
}

/**
 * What a RegistryToken that gets a token now had handled until then. What was handled for another account says nothing about
 * this one, and a time that lies ahead was a mistake: it would make every later one an earlier one.
 * @param now milliseconds since 1970
 */
export function handledUntil(status: RegistryTokenStatus, account: string, now: number): string | undefined {
  const { token, lastHandledAccountRotation: handled } = status;
  const isAhead = (timeIn(handled) ?? now) > now + CLOCK_ERROR;
  return token?.account === account && !isAhead ? handled : undefined;
}

/** Only what is a time in full: a lenient reading finds one in `1` as well. */
function timeIn(text = ''): number | undefined {
  return /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text) ? fromTime(text) : undefined;
}

/**
 * How far a rotation has come: told from the RegistryTokens themselves, so that it goes on after a restart.
 * @param tokens those of the account
 * @returns undefined when none is asked for
 */
export function rotationProgress(
  account: RegistryAccount,
  tokens: readonly RegistryToken[],
): RotationProgress | undefined {
  const requestedAt = rotationAsked(account);
  if (requestedAt === '') return undefined;
  const lasting = tokens.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const left = lasting.filter((token) => isToRotate(token, requestedAt)).length;
  return { requestedAt, done: lasting.length - left, total: lasting.length };
}

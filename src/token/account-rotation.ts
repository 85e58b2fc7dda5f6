import type { RegistryAccount } from '../api/registry-account.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import { prefix } from '../api/text.ts';
import { fromTime } from '../api/time.ts';

/** What an account's status says of the rotation asked for last. */
export interface RotationProgress {
  requestedAt: string;
  done: number;
  total: number;
}

/** The clock of whoever asks may be behind by this, in milliseconds: a rotation too many is better than a leaked token that stays. */
const CLOCK_ERROR = 3_600_000;

/** The rotation that an account asks of all its tokens, any text; empty: none. */
export function rotationAsked({ spec }: RegistryAccount): string {
  return prefix(spec.rotation?.requestedAt ?? '', 256);
}

/**
 * Whether the token in force is older than what was asked for. One that is still to be issued will not be. A time that comes
 * back when a release is rolled back and forth asks for nothing: one earlier than what was handled last, or well before the
 * token was issued.
 */
export function isToRotate({ status }: RegistryToken, asked: string): boolean {
  const { token, lastHandledAccountRotation: handled } = status ?? {};
  if (asked === '' || token === undefined || lastHandled(handled, asked) === handled) return false;
  if (handled !== undefined) return true;
  return (fromTime(token.issuedAt) ?? -Infinity) <= (timeIn(asked) ?? Infinity) + CLOCK_ERROR;
}

/** What a RegistryToken has handled last, once a token was minted for what is asked now; the earlier of two times changes nothing. */
export function lastHandled(handled: string | undefined, asked = ''): string | undefined {
  if (asked === '') return handled;
  const [before, now] = [timeIn(handled), timeIn(asked)];
  return before !== undefined && now !== undefined && now < before ? handled : asked;
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

import type { MintIntent } from '../api/registry-token.ts';
import type { Verdict } from '../common/verdict.ts';
import type { Failure } from './failure.ts';

/** It was refused, and may be good yet: registries take a while to spread what is new. */
export interface Waiting {
  action: 'wait';
  /** What the refusal said. */
  refusal: string;
  /** When to try again, milliseconds since 1970. */
  until: number;
}

/** Into the Secret with it. */
export interface Use {
  action: 'use';
  /** Why nobody knows whether the registry accepts it. */
  doubt: string | undefined;
}

/** What becomes of a new token after it was tried. */
export type Ruling =
  | Use
  | Waiting
  /** It never gets into the Secret. */
  | { action: 'refuse'; failure: Failure };

/** How long a registry may take to accept a token that it made itself, in milliseconds. */
export const ACCEPTANCE_TIME = 30_000;
const FIRST_PAUSE = 1_000;

/**
 * Decides about a new token. One that was refused is not used on a later doubt: the registry has said no to it, and its
 * predecessor may still be good. Nor is one refusal alone the last word, however late it comes.
 * @param before what was decided about it last, if that was to wait
 * @param startedAt when its mint began, milliseconds since 1970. A time ahead of `now` was written before the clock was set
 * back and says nothing: the wait counts as over.
 * @param adopting the Secret that it is for holds a credential that pods may need: it stays until this one was seen to be accepted
 */
export function rule(
  verdict: Verdict,
  before: Waiting | undefined,
  startedAt: number,
  now: number,
  adopting = false,
): Ruling {
  if (verdict.answer === 'unknown' && adopting) {
    const refusal = `whether it does is not known, and a Secret is adopted only when it is: ${verdict.message}`;
    return { action: 'wait', refusal, until: now + ACCEPTANCE_TIME };
  }
  if (verdict.answer === 'accepted') return { action: 'use', doubt: undefined };
  if (verdict.answer === 'unknown' && !before) return { action: 'use', doubt: verdict.message };
  const refusal = verdict.answer === 'unknown' && before ? before.refusal : verdict.message;
  const elapsed = now - startedAt;
  if (elapsed >= 0 && elapsed < ACCEPTANCE_TIME) {
    // Each pause as long as all that came before it: a handful of tries in all.
    const pause = Math.max(elapsed, FIRST_PAUSE);
    return { action: 'wait', refusal, until: Math.min(now + pause, startedAt + ACCEPTANCE_TIME) };
  }
  if (!before) return { action: 'wait', refusal, until: now + FIRST_PAUSE };
  return {
    action: 'refuse',
    failure: {
      reason: 'TokenRefused',
      message: `the registry does not accept the token that was created for it: ${refusal}; the token is revoked and the Secret stays as it is; check that host and endpoint of the account's region belong together, or set spec.verify of the account to Never`,
      retryable: false,
    },
  };
}

/** Whether it is too early to try a token again that was refused. A wait beyond all waits comes of a clock set back. */
export function isWaiting({ until }: Waiting, now: number): boolean {
  return now < until && until <= now + ACCEPTANCE_TIME;
}

/** What an intent says of its new token that an earlier process tried: that it was refused, and waited for. */
export function recordedRefusal({ phase }: Pick<MintIntent, 'phase'>): Waiting | undefined {
  if (phase !== 'Verifying') return undefined;
  return { action: 'wait', refusal: 'it refused it before the operator was restarted', until: 0 };
}

import type { Place } from '../../api/registry-token.ts';
import { retryDelay, type Failure } from '../lifecycle/failure.ts';
import { debtsAt, shownAt, unsettled, type Debt, type Settling } from './debts.ts';

/** Milliseconds after which a request that was given up has had its effect, if it ever has. */
const LATE_ARRIVAL = 60_000;
/** Milliseconds to the next look where a RegistryToken that is about to go is still there: its finalizer is being removed. */
const STILL_THERE = 10_000;

/**
 * Milliseconds from one look in all scopes that an account can see to the next, each of which is a request or more. It finds what
 * nothing here knows of any more, as after a restore from a backup.
 */
const EVERYWHERE_INTERVAL = 86_400_000;

/** Whether a look is to be in all scopes that the account can see. @param lastAt when the last one was; undefined: there was none */
export function isTimeForAll(lastAt: number | undefined, now: number): boolean {
  return lastAt === undefined || now - lastAt >= EVERYWHERE_INTERVAL;
}

/** A look at a place that came to its end. Times are monotonic milliseconds. */
export interface Looked extends Settling {
  place: Place;
  now: number;
  /** When the first list of that place was asked for by this process. */
  firstAskedAt: number;
  /** Whether all is done that can be. */
  done: boolean;
  /** When something can be certain that is not yet; undefined: there is nothing to wait for. */
  certainAt: number | undefined;
  /** Milliseconds from one look to the next. */
  interval: number;
}

/**
 * What is owed after a look at a place, and when it is looked at next: on the interval, or as soon as there is something to be
 * seen that this look could not show.
 * @param debts all that is owed by now, also at other places
 */
export function afterLook(debts: readonly Debt[], look: Looked): { debts: Debt[]; dueAt: number } {
  const { place, looked, stillThere, askedAt, firstAskedAt, listLag, now } = look;
  const rest = unsettled(debts, look);
  const left = debtsAt(rest, place);
  // This look may have missed what was reported meanwhile.
  const seen = new Set(looked);
  const missed = left.some((debt) => !seen.has(debt));
  if (missed || !look.done) return { debts: rest, dueAt: Math.min(now, look.certainAt ?? Infinity) };
  const here = new Set(stillThere);
  const times = left.map((debt) =>
    here.has(debt.uid) ? now + STILL_THERE : Math.max(now, shownAt(debt, listLag)),
  );
  // Nobody told this process of what was left before it worked.
  const allShownAt = firstAskedAt + listLag;
  if (askedAt < allShownAt) times.push(Math.max(now, allShownAt));
  const nextAt = Math.min(now + look.interval, look.certainAt ?? Infinity);
  return { debts: rest, dueAt: times.reduce((first, time) => Math.min(first, time), nextAt) };
}

/** A look that failed. */
export interface FailedLook {
  failure: Pick<Failure, 'retryable' | 'retryAfter'>;
  /** Looks that failed in a row, this one included. */
  failures: number;
  /** Whether anything in the cluster points to the place. */
  isNamed: boolean;
  /** Monotonic milliseconds. */
  now: number;
  interval: number;
  /** In [0, 1). */
  random: number;
}

/** When a place is looked at again after a failure. One that nothing points to is not worth asking before its time. */
export function afterFailure({ failure, failures, isNamed, now, interval, random }: FailedLook): number {
  const delay = isNamed ? retryDelay(failure, failures, random) : interval;
  return now + Math.min(delay, interval);
}

/** When a token can be seen that may come of a request given up now. @param listLag milliseconds that the registry's lists can lag */
export function afterLostRequest(now: number, listLag: number): number {
  return now + LATE_ARRIVAL + listLag;
}

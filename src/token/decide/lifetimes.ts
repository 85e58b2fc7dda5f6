import type { Lifetimes } from '../../api/capabilities.ts';
import { formatDuration, parseDuration } from '../../api/syntax/duration.ts';
import type { RegistryAccountSpec } from '../../api/registry-account.ts';
import type { Lifetime } from '../../api/registry-token.ts';

/** What an account allows. */
export interface LifetimeLimits {
  /** Milliseconds; Infinity: any. */
  maximum: number;
  /** As the account has it; undefined: any. */
  maxLifetime: string | undefined;
  allowNeverExpiring: boolean;
}

/** A lifetime settled: how long a token is to be in use at the most, and how long it lives at the registry. */
export interface SettledLifetime {
  inUse: Lifetime;
  given: Lifetime;
}

export function lifetimeLimits({ limits = {} }: Pick<RegistryAccountSpec, 'limits'>): LifetimeLimits {
  const { maxLifetime, allowNeverExpiring = false } = limits;
  const maximum = maxLifetime === undefined ? Infinity : (parseDuration(maxLifetime) ?? 0);
  return { maximum, maxLifetime, allowNeverExpiring };
}

/**
 * Settles the lifetime of a token. Without one asked for, it is the registry's default or, where the account does not allow that, the
 * longest that it does.
 * @returns why there is none: the registry does not have it, or the account does not allow it
 */
export function settleLifetime(
  asked: Lifetime | undefined,
  offer: Lifetimes,
  limits: LifetimeLimits,
): SettledLifetime | { problem: 'not offered' | 'not allowed'; message: string } {
  if (offer.kind === 'fixed') return settleFixed(asked, offer.expected, limits);
  const inUse = asked ?? defaultOf(offer, limits);
  if (inUse === 'Never') {
    if (!offer.never) return { problem: 'not offered', message: 'has no tokens that never expire' };
    if (!limits.allowNeverExpiring)
      return { problem: 'not allowed', message: 'does not allow tokens that never expire' };
    return { inUse, given: inUse };
  }
  const given = roundUp(inUse, offer);
  if (given === undefined)
    return {
      problem: 'not offered',
      message: `has tokens for at most ${formatDuration(offer.maximum ?? 0)}`,
    };
  if (given <= limits.maximum) return { inUse, given };
  const rounded =
    given > inUse ? `, and a token for ${formatDuration(inUse)} lives ${formatDuration(given)}` : '';
  return { problem: 'not allowed', message: `allows at most ${limits.maxLifetime}${rounded}` };
}

function settleFixed(
  asked: Lifetime | undefined,
  expected: number,
  { maximum, maxLifetime }: LifetimeLimits,
): ReturnType<typeof settleLifetime> {
  if (asked === 'Never') return { problem: 'not offered', message: 'has no tokens that never expire' };
  if (expected <= maximum) return { inUse: Math.min(asked ?? expected, expected), given: expected };
  return {
    problem: 'not allowed',
    message: `allows at most ${maxLifetime}, and a token lives ${formatDuration(expected)}`,
  };
}

function defaultOf(
  offer: Extract<Lifetimes, { kind: 'range' }>,
  { maximum, allowNeverExpiring }: LifetimeLimits,
): Lifetime {
  const fallback = offer.default;
  const longest = Math.floor(maximum / offer.granularity) * offer.granularity;
  const preferred = fallback === 'Never' ? (offer.maximum ?? longest) : fallback;
  // There is no longest of those that expire, or none is needed.
  if (fallback === 'Never' && (allowNeverExpiring || preferred === Infinity)) return fallback;
  return longest >= offer.minimum ? Math.min(preferred, longest) : preferred;
}

function roundUp(
  asked: number,
  { minimum, maximum = Infinity, granularity }: Extract<Lifetimes, { kind: 'range' }>,
): number | undefined {
  const given = Math.ceil(Math.max(asked, minimum) / granularity) * granularity;
  return given <= maximum ? given : undefined;
}

/** Whether an account's limits leave any lifetime of those that its registry has. */
export function allowsAnyLifetime(offer: Lifetimes, limits: LifetimeLimits): boolean {
  if (offer.kind === 'fixed') return offer.expected <= limits.maximum;
  return (roundUp(0, offer) ?? Infinity) <= limits.maximum || (offer.never && limits.allowNeverExpiring);
}

/** A registry's lifetimes, for messages. */
export function describeLifetimes(offer: Lifetimes): string {
  if (offer.kind === 'fixed') return formatDuration(offer.expected);
  const { minimum, maximum, never } = offer;
  const from = formatDuration(minimum);
  const range =
    maximum === undefined
      ? `${from} or more`
      : maximum === minimum
        ? from
        : `${from} to ${formatDuration(maximum)}`;
  return never ? `${range}, or Never` : range;
}

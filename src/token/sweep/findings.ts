import type { Place } from '../../api/registry-token.ts';
import { confirm, nextCertain, type Suspects } from './suspects.ts';
import type { TaggedToken } from './tag.ts';
import { findUnusedIdentities, type Identity } from './unused-identities.ts';
import { findUnused, type Orphan, type UnknownToken } from './unused-tokens.ts';
import type { Users } from './users.ts';

/** What the looks at one place have shown so far. */
export interface Findings {
  /** When the last list was asked for, on the monotonic clock, milliseconds. */
  askedAt: number;
  orphans: Suspects;
  /** What tokens hung on. */
  identities: Suspects;
  /** Tokens that are unknown here. */
  unknown: Suspects;
  /** Tokens that statuses name and the registry lacks. */
  absent: Suspects;
}

export const NOTHING_FOUND: Findings = {
  askedAt: -Infinity,
  orphans: new Map(),
  identities: new Map(),
  unknown: new Map(),
  absent: new Map(),
};

/** What a list shows, now that it was shown for long enough. */
export interface Certain {
  orphans: readonly Orphan[];
  unknown: readonly UnknownToken[];
  identities: readonly Identity[];
  /** Dead for long, and still kept by the registry: these are certain at once. */
  expired: readonly UnknownToken[];
}

/**
 * Takes in one more list of a place.
 * @param now by the registry's clock, milliseconds since 1970
 * @param delay milliseconds for which something must have been seen unused
 */
export function takeIn(
  before: Findings,
  list: { tokens: readonly TaggedToken[]; identities: readonly Identity[]; askedAt: number },
  users: Users,
  { clusterId, place, now, delay }: { clusterId: string; place: Place; now: number; delay: number },
): { findings: Findings; certain: Certain } {
  const { askedAt } = list;
  const unused = findUnused(list.tokens, users, { clusterId, place, now });
  const left = findUnusedIdentities(list.identities, aliveAt(list.tokens, now), users, { clusterId, place });
  const orphans = confirm(unused.orphans, before.orphans, askedAt, delay);
  const unknown = confirm(unused.unknown, before.unknown, askedAt, delay);
  const identities = confirm(left, before.identities, askedAt, delay);
  return {
    findings: {
      ...before,
      askedAt,
      orphans: orphans.suspects,
      unknown: unknown.suspects,
      identities: identities.suspects,
    },
    certain: {
      orphans: orphans.certain,
      unknown: unknown.certain,
      identities: identities.certain,
      expired: unused.expired,
    },
  };
}

/** @param now by the registry's clock, milliseconds since 1970 */
export function aliveAt(tokens: readonly TaggedToken[], now: number): TaggedToken[] {
  return tokens.filter(({ expiresAt }) => (expiresAt ?? Infinity) > now);
}

/** Whether nothing is left to be revoked or deleted. */
export function isClean({ orphans, unknown, identities }: Findings): boolean {
  return orphans.size + unknown.size + identities.size === 0;
}

/** An orphan was revoked or is in use after all, or what tokens hung on was deleted. */
export function without(findings: Findings, id: string): Findings {
  const rest = (suspects: Suspects): Suspects => new Map([...suspects].filter(([each]) => each !== id));
  return { ...findings, orphans: rest(findings.orphans), identities: rest(findings.identities) };
}

/**
 * When something can be certain that was not at the last look, on the monotonic clock: in the past where that look took its time.
 * @param delays milliseconds for which something must have been seen unused, or must have been missing
 * @returns undefined where there is nothing to wait for
 */
export function certainAt(
  { askedAt, orphans, identities, unknown, absent }: Findings,
  delays: { unused: number; absent: number },
): number | undefined {
  const times = [
    nextCertain(orphans, askedAt, delays.unused),
    nextCertain(identities, askedAt, delays.unused),
    nextCertain(unknown, askedAt, delays.unused),
    nextCertain(absent, askedAt, delays.absent),
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

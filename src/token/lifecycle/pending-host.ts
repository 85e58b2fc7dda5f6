import type { RegistryTokenStatus } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import { toTime } from '../../api/syntax/time.ts';

/** The host that an account names while a Secret still has another, and what keeps it out. */
export type PendingHost = NonNullable<RegistryTokenStatus['pendingHost']>;

const FIRST_PAUSE = 2_000;
/** The longest between two tries at a host, in milliseconds. */
export const MAX_HOST_PAUSE = 300_000;

/**
 * The host that the account names now is not to be in the Secret yet. While the same is the matter the words stay, so that a host
 * that is tried again and again in vain is told of once.
 * @param now milliseconds since 1970
 */
export function withPendingHost(
  status: RegistryTokenStatus,
  { host, refused, message }: Omit<PendingHost, 'since'>,
  now: number,
): RegistryTokenStatus & { pendingHost: PendingHost } {
  const before = status.pendingHost?.host === host ? status.pendingHost : undefined;
  if (before?.refused === refused) return { ...status, pendingHost: before };
  const since = before?.since ?? toTime(now);
  return { ...status, pendingHost: { host, since, refused, message: shorten(message, 1024) } };
}

export function withoutPendingHost(status: RegistryTokenStatus): RegistryTokenStatus {
  const { pendingHost: _, ...rest } = status;
  return rest;
}

/** What a condition says of it. */
export function pendingMessage({ host, message }: PendingHost): string {
  return `the Secret keeps its host, since the one that the account names now, ${host}, is not known to accept the token: ${message}`;
}

/** What an account's condition says of its RegistryTokens that wait for a host it names; a host at a time, the first of them in full. */
export function pendingRemarks(statuses: readonly (RegistryTokenStatus | undefined)[]): string[] {
  const waiting = statuses.flatMap((status) => status?.pendingHost ?? []);
  const hosts = [...new Set(waiting.map(({ host }) => host))].sort();
  return hosts.map((host) => {
    const those = waiting.filter((each) => each.host === host);
    const [first] = those.toSorted((a, b) =>
      `${a.since} ${a.message}`.localeCompare(`${b.since} ${b.message}`),
    );
    const who = those.length === 1 ? '1 RegistryToken keeps' : `${those.length} RegistryTokens keep`;
    return `${who} the host in the Secret, since ${host} is not known to accept the token: ${first?.message ?? ''}`;
  });
}

/** Milliseconds to the next try at a host, after so many that failed: doubling from 2 s to 5 min. */
export function hostPause(attempts: number): number {
  return Math.min(MAX_HOST_PAUSE, FIRST_PAUSE * 2 ** Math.min(attempts - 1, 30));
}

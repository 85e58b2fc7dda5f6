import type { RegistryTokenStatus } from '../../api/registry-token.ts';
import { usesSecret, waitsForSecret, type PodNeeds, type PullSecretHosts } from './secret-use.ts';

/** How many pods depend on a Secret. */
export type PodCounts = NonNullable<RegistryTokenStatus['pods']>;

export function countPods(pods: Iterable<PodNeeds>, secret: PullSecretHosts): PodCounts {
  const counts = { using: 0, waiting: 0 };
  for (const needs of pods) {
    if (usesSecret(needs, secret)) counts.using++;
    if (waitsForSecret(needs, secret)) counts.waiting++;
  }
  return counts;
}

/**
 * A status with what is known of pods.
 * @param counts undefined: pods are not known yet, and what the status says stays; off: they are not counted
 */
export function withPods(
  status: RegistryTokenStatus,
  counts: PodCounts | 'off' | undefined,
): RegistryTokenStatus {
  const { pods: known, ...rest } = status;
  const pods = counts === 'off' ? undefined : (counts ?? known);
  return pods ? { ...rest, pods } : rest;
}

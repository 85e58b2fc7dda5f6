import type { RegistryToken } from '../../src/api/registry-token.ts';

/** Milliseconds that a Secret may go on holding a dead token once nothing is in the way any more: the longest wait after failures. */
export const PATIENCE = 25 * 60_000;
/** The same where the RegistryToken waits for nothing: that a watch is opened again, and a reconcile. */
export const PROMPTNESS = 3 * 60_000;
/** Milliseconds until a registry accepts a new token, at the latest: policies of IAM's take effect by then. */
const ACCEPTANCE = 5 * 60_000;

/** Whether users want it so, or are to act first. */
export function isHeldBack({ spec, metadata, status }: RegistryToken): boolean {
  const reasons = [
    'SecretConflict',
    'SecretContested',
    'AccountNotReady',
    'AccountNotFound',
    'RegionUnknown',
    'RegistryUnauthorized',
  ];
  return (
    spec.suspend === true ||
    spec.rotation?.policy === 'Manual' ||
    metadata.deletionTimestamp !== undefined ||
    (status?.conditions ?? []).some(({ reason }) => reasons.includes(reason))
  );
}

/** How long the Secret of a RegistryToken may hold a dead token once it is not held back, in milliseconds. */
export function patienceWith({ status = {} }: Pick<RegistryToken, 'status'>): number {
  if (status.failedAttempts !== undefined) return PATIENCE;
  // One that the registry does not accept yet is as good as the dead one: it gets into the Secret when it is accepted.
  return status.mintIntent?.phase === 'Verifying' ? ACCEPTANCE + PROMPTNESS : PROMPTNESS;
}

import { isTrouble, type Reason } from '../../api/reasons.ts';

/** Trouble that has begun or ended. */
export interface News {
  what: 'begun' | 'ended';
  /** Of the trouble. */
  reason: string;
  message: string;
}

/**
 * What there is to tell when a status changes: that something begins to keep the RegistryToken from its token, or that nothing
 * does any more. Nothing while the same goes on.
 * @param before reason of the status as stored
 * @param now what matters most of the status as it becomes
 */
export function newsOf(
  before: string | undefined,
  now: { reason: Reason; message: string },
): News | undefined {
  const { reason, message } = now;
  if (reason === before) return undefined;
  if (isTrouble(reason)) return { what: 'begun', reason, message };
  // While it is suspended nobody knows.
  if (before === undefined || !isTrouble(before) || reason === 'Suspended') return undefined;
  return { what: 'ended', reason: before, message: `${before} is over: ${message}` };
}

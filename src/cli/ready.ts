import { findCondition, type Condition } from '../api/conditions.ts';
import type { RegistryToken } from '../api/registry-token.ts';

/** What an object's condition Ready says, and what nobody has looked at yet says. */
export function readyCondition({ status }: Pick<RegistryToken, 'status'>): Condition | undefined {
  return findCondition(status?.conditions, 'Ready');
}

/** `True`, `False` or `Unknown`. */
export function readyStatus(token: Pick<RegistryToken, 'status'>): Condition['status'] {
  return readyCondition(token)?.status ?? 'Unknown';
}

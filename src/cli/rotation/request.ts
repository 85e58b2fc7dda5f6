import { isStalled, isTrouble } from '../../api/reasons.ts';
import { ROTATE_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { rotateValue } from '../../token/decide/rotate-now.ts';
import { CommandFailure } from '../failure.ts';
import { plain } from '../output/table.ts';
import { templateOwner } from '../selected-tokens.ts';
import { readyCondition } from '../ready.ts';

/** A rotation that is asked for. */
export interface RotationRequest {
  /** Value of the annotation, another than there is. */
  value: string;
  /** Ends every previous token as soon as the Secret holds the next. */
  revokeNow: boolean;
}

/**
 * What keeps a RegistryToken from being asked at all.
 * @throws CommandFailure
 */
export function assertRotatable({ metadata, spec, status }: RegistryToken, revokeNow: boolean): void {
  const title = `RegistryToken ${metadata.namespace}/${metadata.name}`;
  if (metadata.deletionTimestamp !== undefined) throw new CommandFailure(`${title} is being deleted`);
  if (spec.suspend === true)
    throw new CommandFailure(
      `${title} is suspended: nothing is rotated`,
      `kubectl registrytoken resume ${metadata.name} -n ${metadata.namespace}`,
    );
  const parent = templateOwner({ metadata });
  if (revokeNow && parent)
    throw new CommandFailure(
      `${title}: ClusterRegistryToken ${parent} would give back its grace period before it is rotated`,
      `set spec.template.spec.rotation.gracePeriod of that to 0s, rotate without --revoke-now, and give back what was there`,
    );
  if (revokeNow && status?.token?.revocable === false)
    throw new CommandFailure(
      `${title}: its registry can't revoke tokens, and the one in use lives until ${status.token.expiresAt ?? 'its end'}`,
      'cut at the registry what it was got with (docs/registries/ecr.md, After a leak), then rotate without --revoke-now',
    );
}

/** A value that asks for a rotation. @param now milliseconds since 1970 */
export function newRequest(token: RegistryToken, now: number, revokeNow: boolean): RotationRequest {
  const value = new Date(now).toISOString();
  return { value: rotateValue(token) === value ? `${value} again` : value, revokeNow };
}

/** The merge patch that asks. */
export function requestPatch({ value, revokeNow }: RotationRequest): object {
  return {
    metadata: { annotations: { [ROTATE_ANNOTATION]: value } },
    // One patch: were the token rotated before the grace period is short, the operator would hear of both all the same.
    ...(revokeNow && { spec: { rotation: { gracePeriod: '0s' } } }),
  };
}

/** The merge patch that gives back the grace period there was. */
export function restoringPatch({ spec: { rotation } }: RegistryToken): object {
  return { spec: { rotation: rotation ? { gracePeriod: rotation.gracePeriod ?? null } : null } };
}

/** The command line that gives it back. */
export function restoringCommand(token: RegistryToken): string {
  const { namespace, name } = token.metadata;
  return `kubectl -n ${namespace} patch registrytoken ${name} --type=merge -p '${JSON.stringify(restoringPatch(token))}'`;
}

/** How far a rotation is. */
export type RotationState =
  | { state: 'Rotated'; revision: number }
  /** The Secret holds the next token; others are still to be revoked. */
  | { state: 'Revoking'; left: number; message: string }
  /** Something is in the way; `stalled`: for longer than a try. */
  | { state: 'Held'; reason: string; message: string; stalled: boolean }
  /** Nothing has come of it yet; `trouble`: what the operator said last, if that is trouble. */
  | { state: 'Asked'; trouble: string };

/** How far a rotation is, by what the operator has written of it. */
export function rotationState(
  { status = {}, ...token }: RegistryToken,
  request: RotationRequest,
): RotationState {
  const { reason = '', previousTokens = [] } = status;
  if (status.lastHandledRotate === request.value) {
    const revision = status.token?.revision ?? 0;
    if (!request.revokeNow || previousTokens.length === 0) return { state: 'Rotated', revision };
    const message = previousTokens.find(({ lastError }) => lastError !== undefined)?.lastError ?? '';
    return { state: 'Revoking', left: previousTokens.length, message: plain(message) };
  }
  if (!isTrouble(reason)) return { state: 'Asked', trouble: '' };
  const message = plain(troubleMessage({ ...token, status }));
  // Trouble from before is not told as this request's: it may end with it.
  if (status.lastTriedRotate !== request.value && !isStalled(reason))
    return { state: 'Asked', trouble: `${reason}: ${message}` };
  return { state: 'Held', reason, message, stalled: isStalled(reason) };
}

/** What the operator says of what is in the way: beside a Ready that is True, another condition has it. */
function troubleMessage(token: RegistryToken): string {
  const { conditions = [], reason, lastFailure } = token.status ?? {};
  const condition = conditions.find((each) => each.reason === reason) ?? readyCondition(token);
  return condition?.message ?? lastFailure?.message ?? '';
}

import type { RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import type { Wanted } from '../decide/eligibility.ts';
import type { SecretView } from '../secret/secret-view.ts';
import { withoutPendingHost } from './pending-host.ts';

/** Whether the Secret holds the token of the status. */
export function holds(secret: SecretView, status: RegistryTokenStatus): boolean {
  return secret.state === 'ours' && status.token !== undefined && secret.holds === status.token.id;
}

/** A Secret that was written before a crash, or under another name, is named as it is. */
export function withSecretFound(
  status: RegistryTokenStatus,
  secret: SecretView,
  spec: TokenSpec,
): RegistryTokenStatus {
  if (secret.state !== 'ours') return status;
  const { name } = spec.secret;
  const isKnown = status.secretRef?.name === name && status.secretRef.uid === secret.uid;
  return isKnown ? status : { ...status, secretRef: { name, uid: secret.uid } };
}

/**
 * The host that a Secret has is in force, also where a crash came between it and the status; one that is in force is not waited
 * for.
 */
export function withHostFound(
  status: RegistryTokenStatus,
  secret: SecretView,
  wanted: Pick<Wanted, 'host'>,
): RegistryTokenStatus {
  const found = secret.state === 'ours' && holds(secret, status) ? secret.host : undefined;
  const next = found === undefined ? status : { ...status, host: found };
  const waits = next.pendingHost?.host === wanted.host && next.host !== wanted.host;
  return waits ? next : withoutPendingHost(next);
}

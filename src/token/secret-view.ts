import { CHECKSUM_ANNOTATION, TOKEN_ID_ANNOTATION } from '../api/names.ts';
import type { RegistryToken, TokenSpec } from '../api/registry-token.ts';
import type { Redacted } from '../common/redacted.ts';
import {
  belongsTo,
  heldToken,
  lastEditor,
  outlives,
  ownMarks,
  payloadOf,
  readCredential,
  SECRET_TYPE,
  secretMarks,
  type Credential,
  type Secret,
} from './secret.ts';

/** What stands in the cluster under the name the Secret is to have. */
export type SecretView =
  | { state: 'absent' }
  /** Not to be touched; the message says whose it seems to be. */
  | { state: 'foreign'; message: string }
  | {
      state: 'ours';
      uid: string;
      /** Identifier of the token it holds, when its payload is as the operator wrote it. */
      holds: string | undefined;
      /** Whether hosts, labels, annotations and owner are as wanted too. */
      current: boolean;
      /** `immutable: true`: Kubernetes lets nobody change it any more. */
      locked: boolean;
      /** Field manager that changed it last beside the operator. */
      editor: string | undefined;
      /** As it was read; undefined where the view is remembered: values are not. */
      payload: Redacted | undefined;
    };

/** The credential that a Secret holds, if it was just read and is of that token. */
export function heldCredential(secret: SecretView, tokenId: string): Credential | undefined {
  if (secret.state !== 'ours' || secret.holds !== tokenId) return undefined;
  return secret.payload && readCredential(secret.payload, tokenId);
}

/**
 * Looks at the Secret under the wanted name.
 * @param younger uids of RegistryTokens that want the same Secret and are younger: theirs gives way to this one's
 */
export function viewSecret(
  secret: Secret | undefined,
  token: RegistryToken,
  spec: TokenSpec,
  host: string,
  younger: readonly string[] = [],
): SecretView {
  if (!secret) return { state: 'absent' };
  const { uid } = token.metadata;
  const owner = [uid, ...younger].find((candidate) => belongsTo(secret, candidate));
  if (owner === undefined) return { state: 'foreign', message: foreignMessage(secret) };
  if (secret.type !== SECRET_TYPE) {
    return {
      state: 'foreign',
      message: `Secret ${secret.metadata.name} has the type ${secret.type ?? 'Opaque'}, which can't be changed; delete it, or choose another spec.secret.name`,
    };
  }
  const payload = payloadOf(secret);
  const held = heldToken(secret);
  return {
    state: 'ours',
    uid: secret.metadata.uid,
    holds: held,
    current:
      held !== undefined &&
      owner === uid &&
      hasMarks(secret, token, spec) &&
      sameHosts(payload.reveal(), [host, ...spec.secret.extraHosts]) &&
      ownedAsWanted(secret, uid, spec),
    locked: secret.immutable === true,
    editor: lastEditor(secret.metadata.managedFields),
    payload,
  };
}

function foreignMessage({ metadata }: Secret): string {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  const whose = controller
    ? `belongs to ${controller.kind} ${controller.name}`
    : 'was not made for this RegistryToken';
  return `Secret ${metadata.name} exists and ${whose}; it is left alone: delete it, or choose another spec.secret.name`;
}

function hasMarks({ metadata }: Secret, token: RegistryToken, spec: TokenSpec): boolean {
  const { [TOKEN_ID_ANNOTATION]: id = '', [CHECKSUM_ANNOTATION]: sum = '' } = metadata.annotations ?? {};
  const wanted = secretMarks(token, spec, id, sum);
  const { labels, annotations } = ownMarks(metadata.managedFields);
  return (
    holdsAll(metadata.labels, wanted.labels) &&
    holdsAll(metadata.annotations, wanted.annotations) &&
    labels.every((key) => Object.hasOwn(wanted.labels, key)) &&
    annotations.every((key) => Object.hasOwn(wanted.annotations, key))
  );
}

function holdsAll(actual: Record<string, string> | undefined, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([key, value]) => actual?.[key] === value);
}

/** The payload was written by the operator (its checksum holds), so it parses. */
function sameHosts(payload: string, hosts: readonly string[]): boolean {
  try {
    const { auths } = JSON.parse(payload) as { auths: Record<string, unknown> };
    return JSON.stringify(Object.keys(auths).sort()) === JSON.stringify([...new Set(hosts)].sort());
  } catch {
    return false;
  }
}

function ownedAsWanted({ metadata }: Secret, uid: string, spec: TokenSpec): boolean {
  const owned = (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);
  return owned !== outlives(spec);
}

import { hash } from 'node:crypto';
import {
  API_VERSION,
  CHECKSUM_ANNOTATION,
  MANAGED_BY_LABEL,
  OPERATOR,
  OWNER_NAME_ANNOTATION,
  OWNER_UID_LABEL,
  TOKEN_ID_ANNOTATION,
} from '../../api/names.ts';
import type { RegistryToken, TokenSpec } from '../../api/registry-token.ts';
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../../common/objects.ts';
import { Redacted } from '../../common/redacted.ts';

export const SECRET_TYPE = 'kubernetes.io/dockerconfigjson';
export const PAYLOAD_KEY = '.dockerconfigjson';

/** A token as a docker configuration needs it. */
export interface Credential {
  tokenId: string;
  username: string;
  value: Redacted;
}

/** What a Secret is to say. */
export interface SecretContent {
  token: RegistryToken;
  spec: TokenSpec;
  /** Host of the token's region; `spec.secret.extraHosts` come on top. */
  host: string;
  credential: Credential;
}

/** A Secret as the API server gives it. */
export interface Secret {
  metadata: ObjectMeta;
  type?: string;
  data?: Record<string, string>;
  immutable?: boolean;
}

/** What is applied. Its `data` holds the token: never log it. */
export interface SecretManifest {
  apiVersion: 'v1';
  kind: 'Secret';
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    ownerReferences?: OwnerReference[];
  };
  type: typeof SECRET_TYPE;
  data: Record<string, string>;
}

/**
 * The Secret to apply. The operator's labels and annotations win over the user's. It is owned by the RegistryToken, and
 * so garbage collected with it, unless a deletion policy says that it outlives it.
 */
export function secretManifest({ token, spec, host, credential }: SecretContent): SecretManifest {
  const payload = dockerConfig([host, ...spec.secret.extraHosts], credential);
  const { namespace = '' } = token.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: spec.secret.name,
      namespace,
      ...secretMarks(token, spec, credential.tokenId, checksum(payload)),
      ...(outlives(spec) ? {} : { ownerReferences: [ownerReference(token)] }),
    },
    type: SECRET_TYPE,
    data: { [PAYLOAD_KEY]: Buffer.from(payload).toString('base64') },
  };
}

/** Labels and annotations of the Secret. */
export function secretMarks(
  token: RegistryToken,
  spec: TokenSpec,
  tokenId: string,
  payloadChecksum: string,
): { labels: Record<string, string>; annotations: Record<string, string> } {
  const { labels, annotations } = spec.secret;
  return {
    labels: { ...labels, [MANAGED_BY_LABEL]: OPERATOR, [OWNER_UID_LABEL]: token.metadata.uid },
    annotations: {
      ...annotations,
      [OWNER_NAME_ANNOTATION]: token.metadata.name,
      [TOKEN_ID_ANNOTATION]: tokenId,
      [CHECKSUM_ANNOTATION]: payloadChecksum,
    },
  };
}

/** Whether the Secret stays when the RegistryToken goes. */
export function outlives(spec: TokenSpec): boolean {
  return spec.deletionPolicy === 'Retain';
}

/** Whether a Secret belongs to a RegistryToken, by its controller or, where it outlives its owner, by its label. */
export function belongsTo(secret: { metadata: ObjectMeta }, uid: string): boolean {
  const controller = secret.metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller) return controller.uid === uid;
  return secret.metadata.labels?.[OWNER_UID_LABEL] === uid;
}

/** Whether a RegistryToken's Secret stays when that goes: nothing ties it to it but its label. */
export function isUntied(secret: { metadata: ObjectMeta }, uid: string): boolean {
  const owned = secret.metadata.ownerReferences?.some((owner) => owner.uid === uid);
  return belongsTo(secret, uid) && owned !== true;
}

/** SHA-256 of a payload. Tokens hold far more entropy than could be searched, so this gives nothing away. */
export function checksum(payload: string): string {
  return hash('sha256', payload);
}

/** What stands in a Secret where the docker configuration belongs. */
export function payloadOf({ data }: Secret): Redacted {
  return new Redacted(Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString());
}

/** Identifier of the token that a Secret holds; undefined when its payload is not as the operator wrote it. */
export function heldToken(secret: Secret): string | undefined {
  const { annotations = {} } = secret.metadata;
  const intact = annotations[CHECKSUM_ANNOTATION] === checksum(payloadOf(secret).reveal());
  return intact ? annotations[TOKEN_ID_ANNOTATION] : undefined;
}

/** The field manager, other than the operator, that changed an object last. */
export function lastEditor(managedFields: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  const others = (managedFields ?? []).filter(({ manager }) => manager !== undefined && manager !== OPERATOR);
  return others.toSorted((a, b) => (a.time ?? '').localeCompare(b.time ?? '')).at(-1)?.manager;
}

/** Keys of the labels and annotations that the operator has set, also those that are no longer wanted. */
export function ownMarks(managedFields: readonly ManagedFieldsEntry[] | undefined): {
  labels: string[];
  annotations: string[];
} {
  const { 'f:metadata': metadata = {} } = ownFields(managedFields);
  const keys = (field: string): string[] =>
    Object.keys(metadata[field] ?? {}).flatMap((key) => (key.startsWith('f:') ? [key.slice(2)] : []));
  return { labels: keys('f:labels'), annotations: keys('f:annotations') };
}

/** Whether what an object holds under the payload's key is the operator's work: not in a copy, nor where somebody changed it. */
export function wrotePayload(managedFields: readonly ManagedFieldsEntry[] | undefined): boolean {
  return Object.hasOwn(ownFields(managedFields)['f:data'] ?? {}, `f:${PAYLOAD_KEY}`);
}

/** What managed fields say of a payload that is the operator's work, and nothing else. */
export const OWN_PAYLOAD: readonly ManagedFieldsEntry[] = [
  { manager: OPERATOR, operation: 'Apply', fieldsV1: { 'f:data': { [`f:${PAYLOAD_KEY}`]: {} } } },
];

function ownFields(
  managedFields: readonly ManagedFieldsEntry[] | undefined,
): Record<string, Record<string, object>> {
  const own = managedFields?.find(({ manager, operation }) => manager === OPERATOR && operation === 'Apply');
  return (own?.fieldsV1 ?? {}) as Record<string, Record<string, object>>;
}

/** The docker configuration: `auths` keyed by bare host, as kubelet and docker look it up. */
export function dockerConfig(hosts: readonly string[], { username, value }: Credential): string {
  const password = value.reveal();
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const entry = { username, password, auth };
  return JSON.stringify({ auths: Object.fromEntries([...new Set(hosts)].map((host) => [host, entry])) });
}

/**
 * The credential of a docker configuration that the operator wrote: the same for every host.
 * @param tokenId whose it is to be, by what stands beside it
 * @returns undefined for any other
 */
export function readCredential(payload: Redacted, tokenId: string): Credential | undefined {
  try {
    const { auths } = JSON.parse(payload.reveal()) as { auths: Record<string, Record<string, unknown>> };
    const [{ username, password } = {}, ...others] = Object.values(auths);
    if (typeof username !== 'string' || typeof password !== 'string') return undefined;
    if (others.some((entry) => entry['username'] !== username || entry['password'] !== password))
      return undefined;
    return { tokenId, username, value: new Redacted(password) };
  } catch {
    return undefined;
  }
}

/**
 * What of a Secret was not stored as it was applied, as far as pulls depend on it: a webhook can change it on its way. Labels and
 * annotations that somebody adds are not looked at.
 */
export function alterations(sent: SecretManifest, stored: Secret): string[] {
  const { annotations: wanted } = sent.metadata;
  const { annotations = {} } = stored.metadata;
  const changed = (key: string): boolean => annotations[key] !== wanted[key];
  return [
    ...(stored.type === sent.type ? [] : ['type']),
    ...(stored.data?.[PAYLOAD_KEY] === sent.data[PAYLOAD_KEY] ? [] : [PAYLOAD_KEY]),
    ...[TOKEN_ID_ANNOTATION, CHECKSUM_ANNOTATION].filter(changed).map((key) => `annotation ${key}`),
  ];
}

function ownerReference(token: RegistryToken): OwnerReference {
  const { name, uid } = token.metadata;
  return {
    apiVersion: API_VERSION,
    kind: 'RegistryToken',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

import type { JsonObject } from './json.ts';
import { ProtobufError, readMessage, type Message } from './protobuf.ts';

/** The media type in which kubectl's `create` commands send built-in kinds, without falling back to JSON. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const MAGIC = [0x6b, 0x38, 0x73, 0x00];

const OWNER_REFERENCE: Message = {
  1: ['kind', 'text'],
  3: ['name', 'text'],
  4: ['uid', 'text'],
  5: ['apiVersion', 'text'],
  6: ['controller', 'boolean'],
  7: ['blockOwnerDeletion', 'boolean'],
};

/** Field numbers from k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto. */
const OBJECT_META: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  5: ['uid', 'text'],
  6: ['resourceVersion', 'text'],
  11: ['labels', 'text', 'map'],
  12: ['annotations', 'text', 'map'],
  13: ['ownerReferences', OWNER_REFERENCE, 'list'],
  14: ['finalizers', 'text', 'list'],
};

const NAME: Message = { 1: ['name', 'text'] };
const OBJECT_REFERENCE: Message = {
  1: ['kind', 'text'],
  2: ['namespace', 'text'],
  3: ['name', 'text'],
  4: ['uid', 'text'],
  5: ['apiVersion', 'text'],
};

/** Field numbers from k8s.io/api/core/v1/generated.proto, for the kinds that `kubectl create` makes. */
const KINDS: Record<string, Message> = {
  Namespace: { 1: ['metadata', OBJECT_META], 2: ['spec', { 1: ['finalizers', 'text', 'list'] }] },
  ConfigMap: {
    1: ['metadata', OBJECT_META],
    2: ['data', 'text', 'map'],
    3: ['binaryData', 'bytes', 'map'],
    4: ['immutable', 'boolean'],
  },
  Secret: {
    1: ['metadata', OBJECT_META],
    2: ['data', 'bytes', 'map'],
    3: ['type', 'text'],
    4: ['stringData', 'text', 'map'],
    5: ['immutable', 'boolean'],
  },
  ServiceAccount: {
    1: ['metadata', OBJECT_META],
    2: ['secrets', OBJECT_REFERENCE, 'list'],
    3: ['imagePullSecrets', NAME, 'list'],
    4: ['automountServiceAccountToken', 'boolean'],
  },
};

const DELETE_OPTIONS: Message = {
  1: ['gracePeriodSeconds', 'number'],
  2: ['preconditions', { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] }],
  3: ['orphanDependents', 'boolean'],
  4: ['propagationPolicy', 'text'],
  5: ['dryRun', 'text', 'list'],
};

const ENVELOPE: Message = {
  1: ['typeMeta', { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] }],
};

/** Whether bytes are Kubernetes' protobuf envelope (runtime.Unknown behind a magic number). */
function isEnvelope(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads an object that came as protobuf; undefined for kinds that are taken as JSON or YAML only.
 * @throws ProtobufError when the bytes are no such thing
 */
export function readProtobuf(bytes: Uint8Array): JsonObject | undefined {
  if (!isEnvelope(bytes)) throw new ProtobufError('the magic number of Kubernetes protobuf is missing');
  const body = bytes.subarray(MAGIC.length);
  const { typeMeta } = readMessage(ENVELOPE, body) as { typeMeta?: { apiVersion?: string; kind?: string } };
  const { apiVersion = '', kind = '' } = typeMeta ?? {};
  const message = kind === 'DeleteOptions' ? DELETE_OPTIONS : apiVersion === 'v1' ? KINDS[kind] : undefined;
  if (!message) return undefined;
  const { raw } = readMessage({ 2: ['raw', message] }, body) as { raw?: JsonObject };
  return { apiVersion, kind, ...raw };
}

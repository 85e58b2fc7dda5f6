import {
  FINALIZER,
  LINKS_ANNOTATION,
  OWNER_UID_LABEL,
  ROTATE_ANNOTATION,
  TEMPLATE_ANNOTATION,
  TOKEN_ID_ANNOTATION,
} from '../../api/names.ts';
import { MAX_ANNOTATION, type ClusterRegistryToken } from '../../api/cluster-registry-token.ts';
import { cutAnnotations, type RegistryToken, type RegistryTokenStatus } from '../../api/registry-token.ts';
import { prefix } from '../../api/syntax/text.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../common/objects.ts';
import { ValuePool } from '../../common/value-pool.ts';
import { rotateValue, unknownAnnotations } from '../../token/decide/rotate-now.ts';
import { MAX_RECORD, readRecord } from '../../token/cluster-token/template-record.ts';
import { OWN_PAYLOAD, wrotePayload } from '../../token/secret/secret.ts';
import type { Pod } from '../../token/workloads/pods.ts';
import { needsOf, type PodNeeds } from '../../token/workloads/secret-use.ts';
import type { ServiceAccount } from '../../token/workloads/service-accounts.ts';

// What the operator keeps of objects that others write: the fields that it reads, and nothing else. An object can have 256 KiB
// of annotations, and finalizers, owners and managed fields up to etcd's limit of 1.5 MiB: they would fill its memory.
//
// There can be a hundred thousand of them, so that what many have in common is kept once, and of one object nothing twice.

/** What many objects have in common: most of their specs, their places, the kinds of their owners. */
const common = new ValuePool();

/** In place of all finalizers that are not the operator's. */
const OTHER_FINALIZER = 'others';
/** Characters; identifiers of registries are shorter. */
const MAX_TOKEN_ID = 512;
/** Characters; names and uids are shorter. */
const MAX_OWNER_TEXT = 320;
/** Owners of one Secret. */
const MAX_OWNERS = 16;
/** Secrets, and hosts, of one pod. */
const MAX_POD_NAMES = 64;
/** Characters of one of them: a Secret's name, a host with its port. */
const MAX_POD_NAME = 260;
/** Characters; the record of 128 RegistryTokens with the longest names takes less. */
const MAX_LINKS = 65_536;

/** Of the finalizers it tells whether ours is there, and whether others are; where there are any, whoever writes them reads the object itself. */
export function essentialToken(token: RegistryToken): RegistryToken {
  const { apiVersion, kind, metadata, spec, status } = token;
  const { finalizers = [] } = metadata;
  const rotate = rotateValue(token);
  const annotations = spec.secret?.annotations;
  const { labels, annotations: fromTemplate = {}, ownerReferences } = templateMarks(metadata);
  const own = Object.fromEntries([
    ...Object.entries(fromTemplate),
    ...unknownAnnotations(token).map((key) => [key, '']),
    ...(rotate === undefined ? [] : [[ROTATE_ANNOTATION, rotate]]),
  ]) as Record<string, string>;
  return {
    apiVersion: common.share(apiVersion),
    kind,
    metadata: {
      ...identityOf(metadata),
      ...(labels && { labels }),
      ...(ownerReferences && { ownerReferences }),
      ...(Object.keys(own).length === 0 ? {} : { annotations: common.share(own) }),
      ...(finalizers.length === 0 ? {} : { finalizers: keptFinalizers(finalizers) }),
    },
    spec: common.share(
      annotations ? { ...spec, secret: { ...spec.secret, annotations: cutAnnotations(annotations) } } : spec,
    ),
    ...(status && { status: compactStatus(status) }),
  };
}

/** Of a RegistryToken of a ClusterRegistryToken: its controller, and what it has of the template's metadata. */
function templateMarks(metadata: ObjectMeta): Pick<ObjectMeta, 'labels' | 'annotations' | 'ownerReferences'> {
  const { labels = {}, annotations = {} } = metadata;
  const text = annotations[TEMPLATE_ANNOTATION];
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (text === undefined && controller?.kind !== 'ClusterRegistryToken') return {};
  const owners = controller && { ownerReferences: [common.share(shortOwner(controller))] };
  if (text === undefined) return owners ?? {};
  const record = readRecord(metadata);
  const pick = (from: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      keys.flatMap((key) =>
        Object.hasOwn(from, key) ? [[key, prefix(from[key] ?? '', MAX_ANNOTATION + 1)]] : [],
      ),
    );
  return {
    ...owners,
    labels: common.share(pick(labels, record.labels)),
    annotations: {
      ...pick(annotations, record.annotations),
      [TEMPLATE_ANNOTATION]: prefix(text, MAX_RECORD + 1),
    },
  };
}

/** An owner whose texts are no longer than names are. */
function shortOwner({ apiVersion, kind, name, uid }: OwnerReference): OwnerReference {
  const cut = (text: string): string => prefix(text, MAX_OWNER_TEXT);
  return { apiVersion: cut(apiVersion), kind: cut(kind), name: cut(name), uid: cut(uid), controller: true };
}

/** Changes a status into an equal one. */
function compactStatus(status: RegistryTokenStatus): RegistryTokenStatus {
  const { host, token, mintTimes, pods } = status;
  if (host !== undefined) status.host = common.share(host);
  if (mintTimes?.length === 0) status.mintTimes = common.share(mintTimes);
  if (token) token.place = common.share(token.place);
  if (pods) status.pods = common.share(pods);
  return status;
}

/** Ours, and one that stands for all others. */
const keptFinalizers = (finalizers: readonly string[]): string[] =>
  common.share([
    ...(finalizers.includes(FINALIZER) ? [FINALIZER] : []),
    ...(finalizers.some((name) => name !== FINALIZER) ? [OTHER_FINALIZER] : []),
  ]);

/** Of its metadata, since payloads are not watched; of the managed fields only whether the operator wrote the payload. */
export function essentialSecret({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const labels = only(metadata.labels, OWNER_UID_LABEL, MAX_TOKEN_ID);
  const owners = metadata.ownerReferences?.filter(
    (owner) => owner.controller === true || owner.kind === 'RegistryToken',
  );
  return {
    apiVersion,
    kind,
    metadata: {
      ...identityOf(metadata),
      labels,
      annotations: only(metadata.annotations, TOKEN_ID_ANNOTATION, MAX_TOKEN_ID),
      ...(owners?.length && {
        ownerReferences: owners
          .slice(0, MAX_OWNERS)
          .map((owner) => compactOwner(owner, metadata.name, labels[OWNER_UID_LABEL])),
      }),
      ...(wrotePayload(metadata.managedFields) && { managedFields: common.share([...OWN_PAYLOAD]) }),
    },
  };
}

/** The same owner. It is mostly the one of the label, and of the Secret's name. */
function compactOwner(owner: OwnerReference, name: string, uid: string | undefined): OwnerReference {
  return {
    ...owner,
    apiVersion: common.share(owner.apiVersion),
    kind: common.share(owner.kind),
    name: owner.name === name ? name : owner.name,
    uid: owner.uid === uid ? uid : owner.uid,
  };
}

/**
 * Of a Secret with an account's credentials: that it is there, and which version. `kubectl apply` puts the credentials
 * themselves into an annotation.
 */
export function essentialCredentials({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: identityOf(metadata) };
}

export function essentialServiceAccount({
  apiVersion,
  kind,
  metadata,
  imagePullSecrets,
}: ServiceAccount): ServiceAccount {
  return {
    apiVersion,
    kind,
    metadata: {
      ...identityOf(metadata),
      annotations: only(metadata.annotations, LINKS_ANNOTATION, MAX_LINKS),
    },
    ...(imagePullSecrets && { imagePullSecrets }),
  };
}

/** Whoever writes the finalizers reads the object itself. */
export function essentialClusterToken(parent: ClusterRegistryToken): ClusterRegistryToken {
  const { apiVersion, kind, metadata, spec, status } = parent;
  const { finalizers = [] } = metadata;
  const rotate = rotateValue(parent);
  return {
    apiVersion,
    kind,
    metadata: {
      ...identityOf(metadata),
      ...(rotate !== undefined && { annotations: { [ROTATE_ANNOTATION]: rotate } }),
      ...(finalizers.length > 0 && { finalizers: keptFinalizers(finalizers) }),
    },
    spec,
    ...(status && { status }),
  };
}

/** What tells which Secrets a pod uses and waits for. Pods are many: neither uid nor times are kept. */
export interface KeptPod extends KubeObject {
  /** Absent where it needs nothing any more. */
  needs?: PodNeeds;
}

/** What pods need: those of one Deployment the same. */
const podNeeds = new ValuePool();

export function essentialPod(pod: Pod): KeptPod {
  const { namespace = '', name, resourceVersion } = pod.metadata;
  const needs = needsOf(pod);
  return {
    apiVersion: common.share(pod.apiVersion),
    kind: common.share(pod.kind),
    metadata: { name, namespace: common.share(namespace), uid: '', resourceVersion, creationTimestamp: '' },
    ...(needs && {
      needs: podNeeds.share({
        pullSecrets: fewOf(needs.pullSecrets),
        mounted: fewOf(needs.mounted),
        hosts: fewOf(needs.hosts),
        failing: fewOf(needs.failing),
        starting: needs.starting,
      }),
    }),
  };
}

/** Of Secrets and hosts that one pod names: their number and length is up to whoever writes it. */
const fewOf = (names: readonly string[]): string[] =>
  names.filter(({ length }) => length <= MAX_POD_NAME).slice(0, MAX_POD_NAMES);

export function essentialNamespace({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { labels } = metadata;
  return { apiVersion, kind, metadata: { ...identityOf(metadata), ...(labels && { labels }) } };
}

/** What tells an object and its version from others. */
function identityOf(metadata: ObjectMeta): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } =
    metadata;
  return {
    name,
    ...(namespace !== undefined && { namespace: common.share(namespace) }),
    uid,
    resourceVersion,
    ...(generation !== undefined && { generation }),
    creationTimestamp,
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
  };
}

function only(
  marks: Record<string, string> | undefined,
  key: string,
  maxLength: number,
): Record<string, string> {
  const value = marks?.[key];
  return value === undefined ? {} : { [key]: prefix(value, maxLength) };
}

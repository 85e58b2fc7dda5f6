import {
  CHECKSUM_ANNOTATION,
  MANAGED_BY_LABEL,
  OPERATOR,
  OWNER_NAME_ANNOTATION,
  OWNER_UID_LABEL,
  TOKEN_ID_ANNOTATION,
} from '../../api/names.ts';
import { registryHost } from '../../api/syntax/host.ts';
import type { RegistryToken, TokenSpec } from '../../api/registry-token.ts';
import { prefix } from '../../api/syntax/text.ts';
import type { Redacted } from '../../common/redacted.ts';
import { wantedSecret, type Others } from './claimants.ts';
import {
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
  wrotePayload,
} from './secret.ts';

/** Hosts that a message names. */
const MAX_NAMED = 3;
/** Characters of each: a foreign Secret can hold anything. */
const MAX_HOST = 64;

/** Why a Secret that was not made for this RegistryToken is its own all the same. */
export interface Takeover {
  /**
   * `Younger`: of a RegistryToken that wants the same Secret and is younger. `GivenUp`: of one that wants another by now.
   * `Left`: of one that does not exist any more, and that had this one's name: restored from a backup, or kept when it went.
   * `Adopted`: of nobody's, and to be adopted.
   */
  from: 'Younger' | 'GivenUp' | 'Left' | 'Adopted';
  /** Whose it was, in words. */
  message: string;
  /** Identifier of the token that it is said to hold. */
  tokenId: string | undefined;
  /** Name of the RegistryToken that left it. */
  leftBy?: string;
}

/** What is in the cluster under the name the Secret is to have. */
export type SecretView =
  | { state: 'absent' }
  /** Not to be touched; the message says whose it seems to be. */
  | { state: 'foreign'; message: string }
  | {
      state: 'ours';
      uid: string;
      /** The resourceVersion it was seen with: what was decided by it does not hold for what was changed since. */
      version: string;
      /** Identifier of the token it holds, when its payload is as the operator wrote it. */
      holds: string | undefined;
      /** Which of the hosts looked for it has, whatever extra hosts it has beside that; undefined: none of them. */
      host: string | undefined;
      /** Whether hosts, labels, annotations and owner are as wanted too. */
      current: boolean;
      /** `immutable: true`: Kubernetes lets nobody change it any more. */
      locked: boolean;
      /** Field manager that changed it last beside the operator. */
      editor: string | undefined;
      /** As it was read; undefined where the view is remembered: values are not. */
      payload: Redacted | undefined;
      /** Present until it is written for this RegistryToken. */
      takeover: Takeover | undefined;
    };

/** The resourceVersion of a RegistryToken's own Secret; undefined where there is none. */
export const versionOf = (secret: SecretView): string | undefined =>
  secret.state === 'ours' ? secret.version : undefined;

/** The credential that a Secret holds, if it was just read and is of that token. */
export function heldCredential(secret: SecretView, tokenId: string): Credential | undefined {
  if (secret.state !== 'ours' || secret.holds !== tokenId) return undefined;
  return secret.payload && readCredential(secret.payload, tokenId);
}

/**
 * Looks at the Secret under the wanted name.
 * @param hosts one of which it is to have: the one in force, and the one that takes its place, where a crash came before the status
 * @param others as they are known to the watches
 */
export function viewSecret(
  secret: Secret | undefined,
  token: RegistryToken,
  spec: TokenSpec,
  hosts: readonly string[],
  others: Others = NOBODY,
): SecretView {
  if (!secret) return { state: 'absent' };
  const { uid } = token.metadata;
  const title = titleTo(secret, token, spec, others);
  if ('hindrance' in title) {
    const adoptable = title.adoptable === true && secret.type === SECRET_TYPE;
    return foreign(secret, title.hindrance, adoptable);
  }
  if (secret.type !== SECRET_TYPE) {
    return {
      state: 'foreign',
      message: `Secret ${secret.metadata.name} has the type ${secret.type ?? 'Opaque'}, which can't be changed; delete it, or choose another spec.secret.name`,
    };
  }
  const payload = payloadOf(secret);
  const { takeover } = title;
  if (takeover?.from === 'Adopted') {
    const hindrance = adoptionHindrance(payload, [...hosts, ...spec.secret.extraHosts]);
    if (hindrance !== undefined) return foreign(secret, hindrance);
  }
  const held = heldToken(secret);
  const exact = hosts.find((each) => sameHosts(payload.reveal(), [each, ...spec.secret.extraHosts]));
  // The extra hosts can have changed since it was written.
  const host = exact ?? hosts.find((each) => hostsOf(payload.reveal())?.includes(each));
  return {
    state: 'ours',
    uid: secret.metadata.uid,
    version: secret.metadata.resourceVersion,
    holds: held,
    host: held === undefined ? undefined : host,
    current:
      held !== undefined &&
      takeover === undefined &&
      hasMarks(secret, token, spec) &&
      exact !== undefined &&
      ownedAsWanted(secret, uid, spec),
    locked: secret.immutable === true,
    editor: lastEditor(secret.metadata.managedFields),
    payload,
    takeover,
  };
}

const NOBODY: Others = { complete: true, find: () => undefined, younger: [] };

function foreign({ metadata }: Secret, hindrance: string, adoptable = false): SecretView {
  const remedy = adoptable
    ? 'delete it, choose another spec.secret.name, or set spec.secret.adopt to true'
    : 'delete it, or choose another spec.secret.name';
  return {
    state: 'foreign',
    message: `Secret ${metadata.name} exists and ${hindrance}; it is left alone: ${remedy}`,
  };
}

/**
 * Whether a Secret may be written for a RegistryToken. A RegistryToken is gone for certain if another one, which is looked at, has its
 * name: a namespace has one of each name at a time. Where its uid is known in another namespace, the Secret is somebody's copy. Where
 * not all namespaces are watched, nobody knows: such a Secret has to be adopted.
 */
function titleTo(
  secret: Secret,
  token: RegistryToken,
  spec: TokenSpec,
  { complete, find, younger }: Others,
): { takeover: Takeover | undefined } | { hindrance: string; adoptable?: true } {
  const { uid, namespace } = token.metadata;
  const { metadata } = secret;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  const owner = controller?.uid ?? metadata.labels?.[OWNER_UID_LABEL];
  if (owner === uid) return { takeover: undefined };
  const tokenId = metadata.annotations?.[TOKEN_ID_ANNOTATION];
  const taken = (from: Takeover['from'], whose: string, leftBy?: string): { takeover: Takeover } => {
    const message = `Secret ${metadata.name}, ${whose}, is taken over`;
    return { takeover: { from, message, tokenId, ...(leftBy === undefined ? {} : { leftBy }) } };
  };
  const known = owner === undefined ? undefined : find(owner);
  if (known?.metadata.namespace === namespace && known?.metadata.deletionTimestamp === undefined) {
    if (younger.some((each) => each.metadata.uid === owner))
      return taken('Younger', `of the younger RegistryToken ${known?.metadata.name}`);
    // A copy bears the uid too, but is its author's.
    if (known && wantedSecret(known) !== metadata.name && wrotePayload(metadata.managedFields))
      return taken('GivenUp', `which RegistryToken ${known.metadata.name} no longer wants`);
  }
  if (controller) return { hindrance: `belongs to ${controller.kind} ${controller.name}` };
  if (known?.metadata.namespace === namespace && known)
    return { hindrance: `belongs to RegistryToken ${known.metadata.name}` };
  const left = metadata.annotations?.[OWNER_NAME_ANNOTATION];
  const isOurs = owner !== undefined && metadata.labels?.[MANAGED_BY_LABEL] === OPERATOR;
  if (isOurs && complete && !known && [token, ...younger].some((each) => each.metadata.name === left))
    return taken('Left', `which an earlier RegistryToken ${left} left`, left);
  if (spec.secret.adopt) return taken('Adopted', 'which was not made for this RegistryToken');
  return { hindrance: 'was not made for this RegistryToken', adoptable: true };
}

/** What keeps a Secret from being adopted, if anything does: it would lose credentials that something may need. */
function adoptionHindrance(payload: Redacted, wanted: readonly string[]): string | undefined {
  const hosts = hostsOf(payload.reveal());
  if (!hosts) return 'is not adopted, since it holds no docker configuration';
  const others = hosts.filter((host) => !wanted.includes(registryHost(host) ?? host));
  if (others.length === 0) return undefined;
  const named = others
    .slice(0, MAX_NAMED)
    .map((host) => JSON.stringify(prefix(host, MAX_HOST)))
    .join(', ');
  const more = others.length > MAX_NAMED ? ' and others' : '';
  return `is not adopted, since it holds credentials for ${named}${more} too, and this RegistryToken's hosts are ${wanted.join(', ')}`;
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

function sameHosts(payload: string, hosts: readonly string[]): boolean {
  return JSON.stringify(hostsOf(payload)?.sort()) === JSON.stringify([...new Set(hosts)].sort());
}

/** The hosts of a docker configuration, as they are written there; undefined where it is none. */
function hostsOf(payload: string): string[] | undefined {
  try {
    const { auths } = JSON.parse(payload) as { auths?: unknown };
    return typeof auths === 'object' && auths !== null ? Object.keys(auths) : undefined;
  } catch {
    return undefined;
  }
}

function ownedAsWanted({ metadata }: Secret, uid: string, spec: TokenSpec): boolean {
  const owned = (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);
  return owned !== outlives(spec);
}

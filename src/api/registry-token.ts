import type { ObjectMeta } from '../common/objects.ts';
import type { RegistryTokenSpec, RegistryTokenStatus } from './generated/registrytoken.ts';
import { parseDuration } from './syntax/duration.ts';
import {
  isAnnotationKey,
  isLabelKey,
  isLabelValue,
  isObjectName,
  isRegionName,
  isScopeName,
} from './syntax/metadata.ts';
import { GROUP, MANAGED_BY_LABEL } from './names.ts';
import { registryHost } from './syntax/host.ts';
import { isPattern, isSimple } from './syntax/pattern.ts';
import { prefix } from './syntax/text.ts';

export type { RegistryTokenSpec, RegistryTokenStatus } from './generated/registrytoken.ts';

export interface RegistryToken {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: RegistryTokenSpec;
  status?: RegistryTokenStatus;
}

export type Access = 'ReadOnly' | 'ReadWrite';
/** Milliseconds, or for ever. */
export type Lifetime = number | 'Never';
export type TokenRecord = NonNullable<RegistryTokenStatus['token']>;
export type PreviousToken = NonNullable<RegistryTokenStatus['previousTokens']>[number];
/** Where a token was issued: the registry by its endpoint, and the account there. */
export type Place = TokenRecord['place'];
export type MintIntent = NonNullable<RegistryTokenStatus['mintIntent']>;

/** A RegistryToken's spec, complete and checked. Durations in milliseconds. */
export interface TokenSpec {
  account: string;
  /** undefined: the account's default region. */
  region: string | undefined;
  access: Access;
  /** Names of parts of the registry; empty: all that the account can give. */
  scope: readonly string[];
  /** undefined: the registry's default. */
  lifetime: Lifetime | undefined;
  description: string;
  rotation: {
    policy: 'Auto' | 'Manual';
    renewBefore: number | undefined;
    rotateEvery: number | undefined;
    gracePeriod: number | undefined;
  };
  secret: {
    name: string;
    /** Whether a Secret of that name that nothing controls may be taken over. */
    adopt: boolean;
    /** As kubelet matches them, each once. */
    extraHosts: readonly string[];
    labels: Readonly<Record<string, string>>;
    annotations: Readonly<Record<string, string>>;
  };
  /** Names, and patterns in which `*` stands for any characters; each once. */
  serviceAccounts: readonly string[];
  suspend: boolean;
  deletionPolicy: 'Delete' | 'Retain';
}

/** Why a spec can't be acted on; the message names the field and what it takes. */
export class InvalidSpec extends Error {
  override readonly name = 'InvalidSpec';
}

const MINUTE = 60_000;
/** 100 years: sums of times and durations stay times that can be written. */
const MAX_DURATION = 876_000 * 3_600_000;
/** 30 days: a previous token that lives on is one more that can leak. */
export const MAX_GRACE_PERIOD = 720 * 3_600_000;
/** Patterns in `spec.serviceAccounts`: each is held against every ServiceAccount of the namespace that changes. */
export const MAX_PATTERNS = 8;
/** Names in `spec.scope`. */
export const MAX_SCOPE = 64;
const DURATIONS =
  'it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s; a day is 24h';
/** Of labels and annotations that the operator writes. */
const OWN_PREFIX = `${GROUP}/`;
const ACCESS: readonly string[] = ['ReadOnly', 'ReadWrite'];
/** A description must not look like the tag that is written behind it, nor break a line. */
// eslint-disable-next-line no-control-regex
const DESCRIPTION = /^[^[\]\x00-\x1f\x7f]{0,128}$/u;

/** The RegistryAccount that a RegistryToken is issued with. */
export function accountName({ accountRef }: Pick<RegistryTokenSpec, 'accountRef'>): string {
  return accountRef?.name ?? 'default';
}

/**
 * Reads a RegistryToken's spec, filling in defaults. Checks again what the CRD's schema and CEL rules check, since an
 * API server older than 1.25 drops CEL rules.
 * @throws InvalidSpec
 */
export function readTokenSpec(token: RegistryToken): TokenSpec {
  const { spec } = token;
  const { rotation = {}, secret = {} } = spec;
  readNames(spec);
  const access = spec.access ?? 'ReadOnly';
  if (!ACCESS.includes(access))
    throw new InvalidSpec(`spec.access is ${quote(access)}; it takes ReadOnly or ReadWrite`);
  const lifetime = spec.lifetime === undefined ? undefined : readLifetime(spec.lifetime);
  const description = spec.description ?? '';
  if (!DESCRIPTION.test(description))
    throw new InvalidSpec(
      `spec.description is ${quote(description)}; it takes at most 128 characters, without square brackets and line breaks`,
    );
  return {
    account: accountName(spec),
    region: spec.region,
    access,
    scope: readScope(spec.scope ?? []),
    lifetime,
    description,
    rotation: readRotation(rotation, lifetime),
    secret: readSecret(secret, token.metadata.name),
    serviceAccounts: readServiceAccounts(spec.serviceAccounts ?? []),
    suspend: spec.suspend ?? false,
    deletionPolicy: spec.deletionPolicy ?? 'Delete',
  };
}

/** Keys and values of `spec.secret.annotations` take so many characters in all: the operator keeps them for each RegistryToken. */
export const MAX_SECRET_ANNOTATIONS = 16_384;

const annotationsSize = (annotations: Readonly<Record<string, string>>): number =>
  Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);

/** Annotations that are too many, cut to so many that they still are; others as they are. */
export function cutAnnotations(annotations: Record<string, string>): Record<string, string> {
  return annotationsSize(annotations) <= MAX_SECRET_ANNOTATIONS
    ? annotations
    : { cut: 'x'.repeat(MAX_SECRET_ANNOTATIONS) };
}

function readNames({ accountRef, region }: RegistryTokenSpec): void {
  if (accountRef?.name !== undefined && !isObjectName(accountRef.name))
    throw new InvalidSpec(
      `spec.accountRef.name is ${quote(accountRef.name)}; it takes the name of an object: lower case letters, digits and, between them, dashes and dots, such as default`,
    );
  if (region !== undefined && !isRegionName(region))
    throw new InvalidSpec(
      `spec.region is ${quote(region)}; it takes the name of a region: lower case letters, digits and, between them, dashes, such as us-south`,
    );
}

function readLifetime(text: string): Lifetime {
  if (text === 'Never') return text;
  const field = 'spec.lifetime';
  const what =
    'it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s, or Never; a day is 24h';
  const milliseconds = duration(field, text, what);
  if (milliseconds < MINUTE)
    throw new InvalidSpec(`${field} is ${quote(text)}; it takes at least 1m, or Never`);
  return milliseconds;
}

/** What the API server would refuse in a Secret is refused here, before a token is made for it. */
function readSecret(
  secret: NonNullable<RegistryTokenSpec['secret']>,
  defaultName: string,
): TokenSpec['secret'] {
  const { name = defaultName, extraHosts = [], labels = {}, annotations = {} } = secret;
  if (!isObjectName(name))
    throw new InvalidSpec(
      `spec.secret.name is ${quote(name)}; it takes the name of an object: lower case letters, digits and, between them, dashes and dots, such as app-pull`,
    );
  const label = Object.entries(labels).find(([key, value]) => !isLabelKey(key) || !isLabelValue(value));
  if (label)
    throw new InvalidSpec(
      `spec.secret.labels holds ${quote(label.join('='))}, which can't be a label; write one such as team=a`,
    );
  if (annotationsSize(annotations) > MAX_SECRET_ANNOTATIONS)
    throw new InvalidSpec(
      `spec.secret.annotations takes ${MAX_SECRET_ANNOTATIONS} characters in all; take some out`,
    );
  const annotation = Object.keys(annotations).find((key) => !isAnnotationKey(key));
  if (annotation !== undefined)
    throw new InvalidSpec(
      `spec.secret.annotations holds ${quote(annotation)}, which can't be the key of an annotation; write one such as example.com/team`,
    );
  if (Object.keys(labels).some((key) => key === MANAGED_BY_LABEL || key.startsWith(OWN_PREFIX)))
    throw new InvalidSpec(
      `spec.secret.labels: it takes no label that begins with ${OWN_PREFIX} and no ${MANAGED_BY_LABEL}: the operator sets these itself; leave it out`,
    );
  if (Object.keys(annotations).some((key) => key.startsWith(OWN_PREFIX)))
    throw new InvalidSpec(
      `spec.secret.annotations: it takes no annotation that begins with ${OWN_PREFIX}: the operator sets these itself; leave it out`,
    );
  return {
    name,
    adopt: secret.adopt ?? false,
    extraHosts: readHosts(extraHosts),
    labels,
    annotations,
  };
}

function readHosts(texts: readonly string[]): readonly string[] {
  const hosts = texts.map((text) => {
    const host = registryHost(text);
    if (host !== undefined) return host;
    throw new InvalidSpec(
      `spec.secret.extraHosts holds ${quote(text)}; it takes hosts of registries as in images' names, such as us.icr.io, registry:5000 or [fd00::1]:5000, or *.example.com for all hosts right below a domain`,
    );
  });
  return [...new Set(hosts)];
}

function readServiceAccounts(names: readonly string[]): readonly string[] {
  const name = names.find((text) => !isObjectName(text.replaceAll('*', 'x')));
  if (name !== undefined)
    throw new InvalidSpec(
      `spec.serviceAccounts holds ${quote(name)}; it takes names of ServiceAccounts, such as default, or patterns, such as ci-* or * for all`,
    );
  if (!names.every(isSimple))
    throw new InvalidSpec(
      'spec.serviceAccounts: it takes patterns with at most two *, such as ci-* or *-ci-*',
    );
  if (names.filter(isPattern).length > MAX_PATTERNS)
    throw new InvalidSpec(
      `spec.serviceAccounts: it takes at most ${MAX_PATTERNS} patterns; write a wider one, such as ci-*, or * for all`,
    );
  return [...new Set(names)];
}

function readScope(names: readonly string[]): readonly string[] {
  if (names.length > MAX_SCOPE)
    throw new InvalidSpec(`spec.scope holds ${names.length} names; it takes at most ${MAX_SCOPE}`);
  const name = names.find((text) => !isScopeName(text));
  if (name !== undefined)
    throw new InvalidSpec(
      `spec.scope holds ${quote(name)}; it takes names as they stand in images after the host, in lower case, such as team-a`,
    );
  return [...new Set(names)].sort();
}

function readRotation(
  rotation: NonNullable<RegistryTokenSpec['rotation']>,
  lifetime: Lifetime | undefined,
): TokenSpec['rotation'] {
  const renewBefore = optionalDuration('spec.rotation.renewBefore', rotation.renewBefore);
  const rotateEvery = optionalDuration('spec.rotation.rotateEvery', rotation.rotateEvery);
  const gracePeriod = optionalDuration('spec.rotation.gracePeriod', rotation.gracePeriod);
  if (renewBefore !== undefined && lifetime === 'Never')
    throw new InvalidSpec(
      'spec.rotation.renewBefore needs a token that expires; with lifetime Never write rotation.rotateEvery, such as 720h, in its place',
    );
  if (typeof lifetime === 'number' && renewBefore !== undefined && renewBefore >= lifetime)
    throw new InvalidSpec(
      'spec.rotation.renewBefore must be shorter than lifetime; leave it out for a third of lifetime',
    );
  if (renewBefore !== undefined && renewBefore < MINUTE)
    throw new InvalidSpec(
      `spec.rotation.renewBefore is ${quote(rotation.renewBefore ?? '')}; it takes at least 1m: the next token has to be there before the one in the Secret expires`,
    );
  if (gracePeriod !== undefined && gracePeriod > MAX_GRACE_PERIOD)
    throw new InvalidSpec(
      `spec.rotation.gracePeriod is ${quote(rotation.gracePeriod ?? '')}; it takes at most 720h, which is 30 days`,
    );
  if (rotateEvery !== undefined && lifetime !== 'Never')
    throw new InvalidSpec(
      'spec.rotation.rotateEvery is for lifetime Never; leave it out, for a token that expires is rotated before it does',
    );
  if (rotateEvery !== undefined && rotateEvery < MINUTE)
    throw new InvalidSpec(
      `spec.rotation.rotateEvery is ${quote(rotation.rotateEvery ?? '')}; it takes at least 1m`,
    );
  return {
    policy: rotation.policy ?? 'Auto',
    renewBefore,
    rotateEvery,
    gracePeriod,
  };
}

function optionalDuration(field: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : duration(field, text);
}

/** @param forms what is said of another text. @returns milliseconds */
function duration(field: string, text: string, forms = DURATIONS): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidSpec(`${field} is ${quote(text)}; ${forms}`);
  if (milliseconds > MAX_DURATION)
    throw new InvalidSpec(`${field} is ${quote(text)}; it takes at most 876000h, which is 100 years`);
  return milliseconds;
}

const quote = (text: string): string => JSON.stringify(prefix(text, 64));

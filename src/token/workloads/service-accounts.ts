import { LINKS_ANNOTATION } from '../../api/names.ts';
import { MAX_PATTERNS, type RegistryToken, type TokenSpec } from '../../api/registry-token.ts';
import { fits, isPattern, isSimple } from '../../api/syntax/pattern.ts';
import type { ObjectMeta } from '../../common/objects.ts';

/** What matters here of a ServiceAccount. */
export interface ServiceAccount {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  imagePullSecrets?: PullSecret[];
}

export interface PullSecret {
  name?: string;
}

/** A ServiceAccount's pull secrets, and which of them RegistryTokens put there: names of Secrets by uid. */
export interface Links {
  entries: readonly PullSecret[];
  record: Readonly<Record<string, string>>;
}

/** What one RegistryToken wants of one ServiceAccount. */
export interface Claim {
  uid: string;
  /** Name of the Secret that is to be among its pull secrets; undefined: none of this RegistryToken's. */
  secret: string | undefined;
  /** What it has there, or lacks, stays as it is. */
  frozen: boolean;
}

/** As many names and patterns as the CRD's schema takes. */
const MAX_ENTRIES = 128;

/**
 * Reads a ServiceAccount. The record stands in an annotation, so that it changes in the same write as the list it speaks
 * of, and goes when the ServiceAccount goes. One that can't be read counts as empty: nothing is taken away then. So does one
 * of another ServiceAccount, which came here with a copied manifest: here it was the copy's author who put those entries.
 */
export function linksOf({
  metadata,
  imagePullSecrets = [],
}: Pick<ServiceAccount, 'metadata' | 'imagePullSecrets'>): Links {
  const { uid, annotations } = metadata;
  return { entries: imagePullSecrets, record: readRecord(annotations?.[LINKS_ANNOTATION], uid) };
}

function readRecord(text: string | undefined, uid: string): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '{}');
  } catch {
    return {};
  }
  const { serviceAccount, secrets } = isRecord(value) ? value : {};
  if (serviceAccount !== uid || !isRecord(secrets)) return {};
  const pairs = Object.entries(secrets).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  return Object.fromEntries(pairs);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The annotation that `linksOf` reads; in a fixed order, so that the same record is the same text. @param uid of the ServiceAccount */
export function recordText(uid: string, record: Links['record']): string {
  const secrets = Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({ serviceAccount: uid, secrets });
}

/** Whether entries of `serviceAccounts` stand for one of that name. */
export function includesServiceAccount(entries: readonly string[] | undefined, name: string): boolean {
  return entries?.some((entry) => fits(entry, name)) === true;
}

/** What a RegistryToken wants of a ServiceAccount. Deletion is not told here: what it leaves is `release`d. */
export function claimOn({ metadata, spec, status }: RegistryToken, serviceAccount: string): Claim {
  // Nothing is put where the status does not say so: it is how what was put is found again.
  const named = [spec.serviceAccounts, status?.serviceAccounts].every((entries) =>
    includesServiceAccount(entries, serviceAccount),
  );
  return {
    uid: metadata.uid,
    secret: named ? status?.secretRef?.name : undefined,
    frozen: spec.suspend === true || metadata.deletionTimestamp !== undefined,
  };
}

/**
 * How a ServiceAccount's pull secrets are to be, given every RegistryToken that claims anything of it. An entry that was
 * there before any RegistryToken wanted it is its author's, and stays for ever; others keep their place. What was put there
 * for a RegistryToken that claims nothing any more, or is no longer known, is taken away; unless the Secret stayed when that
 * went, and its entry with it.
 * @param outlived whether the Secret of a RegistryToken that is gone stays
 */
export function planLinks(
  links: Links,
  claims: readonly Claim[],
  outlived: (uid: string, secret: string) => boolean = () => false,
): Links {
  const claimed = new Set(claims.map(({ uid }) => uid));
  const left = Object.entries(links.record).filter((pair) => !claimed.has(pair[0]) && outlived(...pair));
  const { entries, record } = left.reduce((rest, [uid]) => release(rest, uid, true), links);
  const before = new Set(Object.values(record));
  const present = new Set(entries.map(({ name }) => name));
  const next: Record<string, string> = {};
  const missing = new Set<string>();
  for (const { uid, secret, frozen } of claims) {
    const had = record[uid];
    if (frozen && had !== undefined) next[uid] = had;
    if (frozen || secret === undefined) continue;
    if (!present.has(secret)) missing.add(secret);
    if (!present.has(secret) || before.has(secret)) next[uid] = secret;
  }
  const still = new Set(Object.values(next));
  const removed = [...before].filter((secret) => !still.has(secret));
  return {
    entries: [
      ...removed.reduce(withoutOne, entries),
      ...[...missing].toSorted().map((name): PullSecret => ({ name })),
    ],
    record: next,
  };
}

/** Links without those of one RegistryToken. @param keepEntry the Secret stays, and so does its entry, as somebody else's */
export function release({ entries, record }: Links, uid: string, keepEntry: boolean): Links {
  const { [uid]: secret, ...others } = record;
  if (secret === undefined || keepEntry || Object.values(others).includes(secret))
    return { entries, record: others };
  return { entries: withoutOne(entries, secret), record: others };
}

/** Whoever has added the same entry beside ours keeps his. */
function withoutOne(entries: readonly PullSecret[], secret: string): readonly PullSecret[] {
  const at = entries.findIndex(({ name }) => name === secret);
  return at < 0 ? entries : entries.toSpliced(at, 1);
}

/** Names that `after` has among its entries and `before` had not. */
export function added(before: Links, after: Links): string[] {
  const known = new Set(before.entries.map(({ name }) => name));
  return after.entries.flatMap(({ name }) => (name === undefined || known.has(name) ? [] : [name]));
}

/**
 * The ServiceAccounts for a RegistryToken's status: the names and patterns of its spec, and of those it had before the ones by
 * which alone a ServiceAccount is found that still has something of it; these come first, since they are not to be forgotten.
 * @param holders names of the ServiceAccounts that an entry stands for and that have something of this RegistryToken; undefined
 * while they are not known
 */
export function recordedServiceAccounts(
  { spec, status }: RegistryToken,
  { serviceAccounts }: TokenSpec,
  holders: (entry: string) => readonly string[] | undefined,
): string[] {
  const recorded = status?.serviceAccounts ?? [];
  if (spec.suspend === true) return recorded;
  const former = recorded.filter((entry) => !serviceAccounts.includes(entry));
  const isNeeded = (entry: string): boolean =>
    holders(entry)?.some((name) => !includesServiceAccount(serviceAccounts, name)) ?? true;
  return [...former.filter(isNeeded), ...serviceAccounts].slice(0, MAX_ENTRIES);
}

/** The names and patterns of every ServiceAccount that a RegistryToken has to do with, or had. */
export const serviceAccountEntries = (token: RegistryToken): readonly string[] => entriesOf(token).all;

/** Those of them that are patterns. */
export const serviceAccountPatterns = (token: RegistryToken): readonly string[] => entriesOf(token).patterns;

interface Entries {
  all: readonly string[];
  patterns: readonly string[];
}

/** Of each version of a RegistryToken: every change of a ServiceAccount asks all those in its namespace that have patterns. */
const known = new WeakMap<RegistryToken, Entries>();

function entriesOf(token: RegistryToken): Entries {
  const before = known.get(token);
  if (before) return before;
  const { spec, status } = token;
  const former = status?.serviceAccounts?.filter(isSimple) ?? [];
  const all = [...new Set([...served(spec.serviceAccounts), ...former])];
  const entries = { all, patterns: all.filter(isPattern) };
  known.set(token, entries);
  return entries;
}

/** Without patterns that cost more than the CRD's rules let them, which an API server older than 1.25 drops. */
function served(entries: readonly string[] = []): readonly string[] {
  let patterns = 0;
  return entries.filter((entry) => !isPattern(entry) || (isSimple(entry) && ++patterns <= MAX_PATTERNS));
}

import { toTime } from '../../api/syntax/time.ts';
import { byName, groupCopies } from './copies.ts';
import type { Keeper } from './keeper.ts';
import type { PullSecret } from './pull-secret.ts';
import type { SecretUse } from './references.ts';

/** A pull secret as the report tells of it. Times as RFC 3339 text. */
export interface ReportedSecret {
  namespace: string;
  name: string;
  type: string;
  createdAt?: string;
  /** When its content was written last. */
  writtenAt?: string;
  hosts: readonly string[];
  moreHosts?: number;
  users: readonly string[];
  kinds: readonly string[];
  /** When the first of its credentials expires, where they say so themselves. */
  expiresAt?: string;
  /** Absent where nobody writes it: it was made by hand, or by a script. */
  keptBy?: Keeper;
  /** Whether it gets new credentials by itself, by whoever keeps it. */
  rotated: boolean;
  usedBy: SecretUse;
  /** The Secrets that hold a credential of this one, itself included; absent where no other does. */
  copies?: { secrets: number; namespaces: number };
  /** What is wrong with it, or soon will be; each a sentence without its subject. */
  remarks: readonly string[];
}

/** One credential in several Secrets. */
export interface ReportedCopies {
  secrets: readonly { namespace: string; name: string }[];
  moreSecrets?: number;
  namespaces: number;
  /** The registries that it is for. */
  hosts: readonly string[];
  moreHosts?: number;
  user: string;
  /** The one of them that is rotated: then the credential of the others ends. */
  rotated?: { namespace: string; name: string };
}

/** All pull secrets of a cluster, or of a namespace. */
export interface PullSecretReport {
  kind: 'PullSecretReport';
  generatedAt: string;
  summary: {
    secrets: number;
    /** Nobody rotates these. */
    notRotated: number;
    /** And these hold one of several copies of a credential. */
    copies: number;
    /** Neither a pod nor a ServiceAccount names these. */
    unused: number;
    expired: number;
  };
  /** Those that nobody rotates come first. */
  secrets: readonly ReportedSecret[];
  copies: readonly ReportedCopies[];
}

/** Secrets of a group of copies that are named, and hosts. */
const MAX_NAMED = 100;

/** @param now milliseconds since 1970 */
export function reportOf(
  secrets: readonly PullSecret[],
  usedBy: (secret: PullSecret) => SecretUse,
  now: number,
): PullSecretReport {
  const groups = groupCopies(secrets);
  const widest = new Map<PullSecret, (typeof groups)[number]>();
  // The most widespread come first.
  for (const group of groups)
    for (const secret of group.secrets) if (!widest.has(secret)) widest.set(secret, group);
  const reported = secrets
    .toSorted((a, b) => Number(isRotated(a)) - Number(isRotated(b)) || byName(a, b))
    .map((secret): ReportedSecret => {
      const { keeper, expires, created, written, flaw, moreHosts, credentials: _, ...told } = secret;
      const group = widest.get(secret);
      const use = usedBy(secret);
      return {
        ...told,
        ...(created !== undefined && { createdAt: toTime(created) }),
        ...(written !== undefined && { writtenAt: toTime(written) }),
        ...(expires !== undefined && { expiresAt: toTime(expires) }),
        ...(moreHosts > 0 && { moreHosts }),
        ...(keeper && { keptBy: keeper }),
        rotated: isRotated(secret),
        usedBy: use,
        ...(group && { copies: { secrets: group.secrets.length, namespaces: group.namespaces } }),
        remarks: [
          ...(flaw === undefined ? [] : [flaw]),
          ...(isExpired(secret, now) ? ['its credential has expired'] : []),
          ...(group?.rotated && !isRotated(secret)
            ? [`its credential ends when ${nameOf(group.rotated)} is rotated`]
            : []),
          ...(isUnused(use) ? ['no pod and no ServiceAccount names it'] : []),
        ],
      };
    });
  return {
    kind: 'PullSecretReport',
    generatedAt: toTime(now),
    summary: {
      secrets: secrets.length,
      notRotated: secrets.filter((each) => !isRotated(each)).length,
      copies: secrets.filter((each) => !isRotated(each) && widest.has(each)).length,
      unused: reported.filter((each) => isUnused(each.usedBy)).length,
      expired: secrets.filter((each) => isExpired(each, now)).length,
    },
    secrets: reported,
    copies: groups.map(({ secrets: all, namespaces, hosts, user, rotated }) => ({
      secrets: all.slice(0, MAX_NAMED).map(named),
      ...(all.length > MAX_NAMED && { moreSecrets: all.length - MAX_NAMED }),
      namespaces,
      hosts: hosts.slice(0, MAX_NAMED),
      ...(hosts.length > MAX_NAMED && { moreHosts: hosts.length - MAX_NAMED }),
      user,
      ...(rotated && { rotated: named(rotated) }),
    })),
  };
}

/** What a controller does that is not known here counts for it: it is not told to be left by everybody. */
const isRotated = ({ keeper }: PullSecret): boolean => keeper !== undefined && keeper.does !== 'Copies';
const isExpired = ({ expires }: PullSecret, now: number): boolean => expires !== undefined && expires <= now;
const isUnused = ({ pods, serviceAccounts }: SecretUse): boolean =>
  pods === 0 && serviceAccounts?.length === 0;
const named = ({ namespace, name }: PullSecret): { namespace: string; name: string } => ({ namespace, name });
const nameOf = ({ namespace, name }: PullSecret): string => `${namespace}/${name}`;

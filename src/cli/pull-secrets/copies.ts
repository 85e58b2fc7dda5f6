import type { PullSecret } from './pull-secret.ts';

/** One credential in several Secrets. */
export interface Copies<S = PullSecret> {
  /** Those that hold it, in the order of their namespaces and names. */
  secrets: readonly S[];
  /** In how many namespaces. */
  namespaces: number;
  /** One of them that is rotated: the others end with the credential that they have now. */
  rotated: S | undefined;
}

/**
 * The credentials that more than one Secret holds, the most widespread first. A Secret with several such credentials is in the
 * group of each.
 */
export function groupCopies<S extends PullSecret>(secrets: readonly S[]): Copies<S>[] {
  const holders = new Map<string, S[]>();
  for (const secret of secrets)
    for (const fingerprint of secret.fingerprints) {
      const known = holders.get(fingerprint);
      if (known) known.push(secret);
      else holders.set(fingerprint, [secret]);
    }
  return [...holders.values()]
    .filter((each) => each.length > 1)
    .map((each) => ({
      secrets: each.toSorted(byName),
      namespaces: new Set(each.map(({ namespace }) => namespace)).size,
      rotated: each.find(({ keeper }) => keeper?.does === 'Rotates'),
    }))
    .toSorted((a, b) => b.secrets.length - a.secrets.length || byName(first(a), first(b)));
}

/** In the order of namespaces and names. */
export function byName(a: Named, b: Named): number {
  return compare(a.namespace, b.namespace) || compare(a.name, b.name);
}

type Named = Pick<PullSecret, 'namespace' | 'name'>;

const first = ({ secrets }: Copies): Named => secrets[0] ?? { namespace: '', name: '' };
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

import type { HeldCredential, PullSecret } from './pull-secret.ts';

/** One credential in several Secrets. */
export interface Copies<S = PullSecret> {
  /** Those that hold it, in the order of their namespaces and names. */
  secrets: readonly S[];
  user: string;
  /** Those that it is for, in any of the Secrets. */
  hosts: readonly string[];
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
  const holders = new Map<string, { credential: HeldCredential; secret: S }[]>();
  for (const secret of secrets)
    for (const credential of secret.credentials) {
      const known = holders.get(credential.fingerprint);
      if (known) known.push({ credential, secret });
      else holders.set(credential.fingerprint, [{ credential, secret }]);
    }
  return [...holders.values()]
    .filter((held) => held.length > 1)
    .map((held) => {
      const each = held.map(({ secret }) => secret);
      return {
        secrets: each.toSorted(byName),
        user: held[0]?.credential.user ?? '',
        hosts: [...new Set(held.flatMap(({ credential }) => credential.hosts))],
        namespaces: new Set(each.map(({ namespace }) => namespace)).size,
        rotated: each.find(({ keeper }) => keeper?.does === 'Rotates'),
      };
    })
    .toSorted((a, b) => b.secrets.length - a.secrets.length || byName(first(a), first(b)));
}

/** In the order of namespaces and names. */
export function byName(a: Named, b: Named): number {
  return compare(a.namespace, b.namespace) || compare(a.name, b.name);
}

type Named = Pick<PullSecret, 'namespace' | 'name'>;

const first = ({ secrets }: Copies): Named => secrets[0] ?? { namespace: '', name: '' };
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

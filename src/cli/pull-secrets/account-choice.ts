import type { RegistryAccount } from '../../api/registry-account.ts';
import { accountFault } from '../../api/registry-account.ts';
import { firstOf } from '../../api/syntax/text.ts';
import type { Place } from '../../registry/port.ts';
import { providerOf, type Provider } from '../../registry/backends.ts';
import { credentialOf, type RegistryEntry } from './docker-config.ts';

/** An account whose tokens are for what a pull secret is for. */
export interface ServingAccount {
  account: RegistryAccount;
  provider: Provider;
  /** Of the region whose host the Secret names; undefined where the registry has no regions. */
  region: string | undefined;
  /** The Secret's other hosts. */
  extraHosts: readonly string[];
}

/** Why an account is not for a pull secret: what follows after "RegistryAccount NAME". */
export interface UnfitAccount {
  account: RegistryAccount;
  reason: string;
}

/** Hosts that a message names. */
const MAX_NAMED = 3;

/**
 * Whether an account issues tokens for the registries of a pull secret, by its table of regions.
 * @param entries all with a host
 * @param widen take hosts for the account's own that it does not know, where the Secret has the same credential for them as for one
 * that it knows
 */
export function fitAccount(
  account: RegistryAccount,
  entries: readonly RegistryEntry[],
  widen: boolean,
): ServingAccount | UnfitAccount {
  const provider = providerOf(account.spec);
  if (!provider || provider.fault !== undefined || accountFault(account.spec) !== undefined)
    return { account, reason: 'has a spec that is not valid' };
  const { places } = provider;
  const hosts = [...new Set(entries.flatMap(({ host }) => host ?? []))];
  const preferred = places.resolve(account.spec.defaultRegion || places.defaultRegion);
  const served = [...(preferred ? [preferred] : []), ...places.all].filter(({ host }) =>
    hosts.includes(host),
  );
  const [place] = served;
  if (!place) return { account, reason: `does not serve ${firstOf(hosts, MAX_NAMED)}` };
  // A token is good at every region that shares the API that issued it.
  const elsewhere = served.filter(({ endpoint }) => endpoint !== place.endpoint);
  if (elsewhere.length > 0)
    return {
      account,
      reason: `issues tokens for ${place.host} and for ${firstOf(hostsOf(elsewhere), MAX_NAMED)} apart, and the Secret has both: put one of them into a Secret of its own`,
    };
  const known = new Set(hostsOf(served));
  const unknown = hosts.filter((host) => !known.has(host));
  const reason = whyUnknown(entries, known, unknown, widen);
  if (reason !== undefined) return { account, reason };
  return {
    account,
    provider,
    region: places.defaultRegion === undefined ? undefined : place.region,
    extraHosts: hosts.filter((host) => host !== place.host).sort(),
  };
}

/** Why hosts that an account does not know can't be taken for its own; undefined where they can, or there are none. */
function whyUnknown(
  entries: readonly RegistryEntry[],
  known: ReadonlySet<string>,
  unknown: readonly string[],
  widen: boolean,
): string | undefined {
  if (unknown.length === 0) return undefined;
  const credentials = new Set(entries.filter(({ host = '' }) => known.has(host)).map(credentialOf));
  const others = entries.filter((entry) => !known.has(entry.host ?? ''));
  const named = firstOf(unknown, MAX_NAMED);
  if (!others.every((entry) => credentials.has(credentialOf(entry))))
    return `does not serve ${named}, and the Secret has another credential there: put that into a Secret of its own`;
  if (widen) return undefined;
  return `does not know ${named}; the Secret has the same credential there as for ${firstOf([...known], MAX_NAMED)}: if these are hosts of the same registry, add --extra-hosts`;
}

const hostsOf = (places: readonly Pick<Place, 'host'>[]): string[] => [
  ...new Set(places.map(({ host }) => host)),
];

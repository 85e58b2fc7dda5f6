/** A region of a registry. */
export interface Region {
  name: string;
  /** Registry host as it stands in image names, with its port if it has one. */
  host: string;
  /** Base URL of the token API. */
  endpoint: string;
}

/** A region as an account defines it. */
export interface RegionDefinition {
  name: string;
  host: string;
  /** `https://` and the host unless told. */
  endpoint?: string | undefined;
}

/**
 * Region -> host; https://cloud.ibm.com/docs/Registry?topic=Registry-registry_overview#registry_regions, and eu-fr2 from
 * IBM's SDK. The token API is served by these hosts too: bluemix-go, which has its client, points there since February
 * 2021. The hosts before (registry.ng.bluemix.net and its kin) serve the same images; who still names them in images puts
 * them into a RegistryToken's extraHosts or defines a region of an account.
 */
const HOSTS: Readonly<Record<string, string>> = {
  'au-syd': 'au.icr.io',
  'br-sao': 'br.icr.io',
  'ca-mon': 'ca2.icr.io',
  'ca-tor': 'ca.icr.io',
  'eu-de': 'de.icr.io',
  'eu-es': 'es.icr.io',
  'eu-fr2': 'fr2.icr.io',
  'eu-gb': 'uk.icr.io',
  global: 'icr.io',
  'in-che': 'in.icr.io',
  'in-mum': 'in2.icr.io',
  'jp-osa': 'jp2.icr.io',
  'jp-tok': 'jp.icr.io',
  'us-south': 'us.icr.io',
};

/** Names that regions had before, and us-east, which shares the registry of us-south. */
const ALIASES: Readonly<Record<string, string>> = {
  'ap-north': 'jp-tok',
  'ap-south': 'au-syd',
  'eu-central': 'eu-de',
  'uk-south': 'eu-gb',
  'us-east': 'us-south',
};

/**
 * Finds a region by its name or an alias. What an account defines under that very name comes first.
 * @param defined the account's own regions
 */
export function resolveRegion(name: string, defined: readonly RegionDefinition[]): Region | undefined {
  const own = defined.find((region) => region.name === name);
  if (own) return { name, host: own.host, endpoint: own.endpoint || `https://${own.host}` };
  if (Object.hasOwn(ALIASES, name)) return resolveRegion(ALIASES[name] ?? '', defined);
  const host = Object.hasOwn(HOSTS, name) ? HOSTS[name] : undefined;
  return host === undefined ? undefined : { name, host, endpoint: `https://${host}` };
}

/** The names of all regions of an account, without aliases, in order. */
export function regionNames(defined: readonly RegionDefinition[]): string[] {
  return [...new Set([...Object.keys(HOSTS), ...defined.map(({ name }) => name)])].sort();
}

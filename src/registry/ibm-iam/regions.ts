import { endpointForm, type RegionDefinition } from '../port.ts';

/** A region of a registry. */
export interface Region {
  name: string;
  /** Registry host as in image names, with its port if it has one. */
  host: string;
  /** Base URL of the token API, as `endpointForm` has it. */
  endpoint: string;
}

/**
 * Region -> host; https://cloud.ibm.com/docs/Registry?topic=Registry-registry_overview#registry_regions, and eu-fr2 from
 * IBM's SDK. The token API is served by these hosts too: bluemix-go, which has its client, points there since February
 * 2021. The former hosts (such as registry.ng.bluemix.net) serve the same images; for images that name them, use extraHosts
 * of the RegistryToken or define a region of the account.
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

/** Fields of an account that define its regions. */
export interface RegionSource {
  /** Default: IBM's own. */
  iamEndpoint?: string | undefined;
  regions?: readonly RegionDefinition[] | undefined;
}

/**
 * The regions of an account: those it defines and, where it logs in at IBM Cloud itself, the built-in ones with their
 * aliases. An account of another login service has only those that it defines: its access tokens must not be sent to IBM.
 */
export class Regions {
  readonly #defined: readonly RegionDefinition[];
  readonly #builtIn: boolean;

  constructor({ iamEndpoint, regions = [] }: RegionSource) {
    this.#defined = regions;
    this.#builtIn = iamEndpoint === undefined || isOfIbmCloud(iamEndpoint);
  }

  /** Finds a region by its name or an alias. What the account defines under that very name comes first. */
  find(name: string): Region | undefined {
    const own = this.#defined.find((region) => region.name === name);
    if (own) return { name, host: own.host, endpoint: endpointForm(own.endpoint || `https://${own.host}`) };
    if (!this.#builtIn) return undefined;
    if (Object.hasOwn(ALIASES, name)) return this.find(ALIASES[name] ?? '');
    const host = Object.hasOwn(HOSTS, name) ? HOSTS[name] : undefined;
    return host === undefined ? undefined : { name, host, endpoint: `https://${host}` };
  }

  /** The names of all regions, without aliases, in order. */
  get names(): string[] {
    const builtIn = this.#builtIn ? Object.keys(HOSTS) : [];
    return [...new Set([...builtIn, ...this.#defined.map(({ name }) => name)])].sort();
  }

  /** All regions, in the order of their names. */
  get all(): Region[] {
    return this.names.flatMap((name) => this.find(name) ?? []);
  }
}

/** Whether a login service is IBM Cloud's own, whose access tokens the built-in regions take. */
function isOfIbmCloud(iamEndpoint: string): boolean {
  const url = URL.parse(iamEndpoint);
  return url?.protocol === 'https:' && url.port === '' && /(^|\.)cloud\.ibm\.com$/.test(url.hostname);
}

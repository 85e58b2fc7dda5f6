import { endpointForm, type BackEnd, type Capabilities, type Place } from '../port.ts';
import { isRegistryHost } from '../../api/syntax/host.ts';
import { prefix } from '../../api/syntax/text.ts';
import { RegistryError } from '../errors.ts';
import type { PlaceClient } from '../http/place-client.ts';
import { readUser } from './robot-answers.ts';
import { harborRequest, HarborRobots, type HarborCredentials } from './robots.ts';

/** `harbor` in a RegistryAccount's spec. */
export interface HarborBlock {
  /** Base URL. */
  url: string;
  /** Host as in image names, where it is not that of the URL. */
  host?: string | undefined;
}

const DAY = 86_400_000;

/** As the CRD has it. */
const API_URL = /\/api(\/v[0-9.]+)?\/*$/;

const HARBOR_CAPABILITIES: Capabilities = {
  issue: 'minted',
  access: ['ReadOnly', 'ReadWrite'],
  lifetimes: {
    kind: 'range',
    minimum: DAY,
    // Harbor counts days in an int32.
    maximum: (2 ** 31 - 2) * DAY,
    granularity: DAY,
    never: true,
    default: DAY,
  },
  scope: { name: 'project', covers: 'namespace', many: true, listedApart: true },
  find: 'name',
  readBack: false,
  revoke: true,
  settling: { acceptance: 0, listing: 0, absence: 0 },
};

/** Harbor: https://goharbor.io/docs/latest/administration/robot-accounts/ */
export const HARBOR: BackEnd<HarborBlock, HarborCredentials> = {
  title: 'Harbor',
  capabilities: () => HARBOR_CAPABILITIES,
  places(block) {
    const place = placeOf(block);
    return {
      defaultRegion: undefined,
      all: [place],
      resolve: (region) => (region === undefined || region === '' ? place : undefined),
    };
  },
  identity: ({ url }) => endpointForm(url),

  fault(block) {
    if (API_URL.test(block.url))
      return 'spec.harbor.url takes the URL of Harbor without /api, such as https://harbor.example.com';
    const { host } = placeOf(block);
    if (isRegistryHost(host)) return undefined;
    return `spec.harbor leads to host ${JSON.stringify(prefix(host, 64))}; url takes an HTTP or HTTPS URL such as https://harbor.example.com, and host the host of a registry as in images' names, in lower case, such as registry:5000`;
  },

  readCredentials(data) {
    const [username, password] = [data?.get('username'), data?.get('password')];
    if (username && password) return { credentials: { username: username.reveal(), password } };
    return { problem: 'Harbor needs the keys username and password' };
  },

  connect({ block, credentials }, { client, guard }) {
    return {
      verify: (signal) => verify(placeOf(block), credentials, client(placeOf(block)), signal),
      registry: (place) =>
        new HarborRobots({
          client: client(place),
          place,
          credentials,
          capabilities: HARBOR_CAPABILITIES,
          guard,
        }),
    };
  },
};

function placeOf({ url, host }: HarborBlock): Place {
  return { region: '', host: host ?? URL.parse(url)?.host ?? '', endpoint: endpointForm(url) };
}

/** Asks for the current user. A robot with valid credentials gets 412. */
async function verify(
  { endpoint }: Place,
  credentials: HarborCredentials,
  client: PlaceClient,
  signal: AbortSignal,
): Promise<{ identity: string }> {
  const request = harborRequest({ endpoint }, credentials, {
    operation: 'verify',
    purpose: 'find out whose the credentials are',
    method: 'GET',
    creates: false,
    names: false,
    path: '/users/current',
  });
  try {
    await client.ask(request, ({ json }) => readUser(json), 'names no user', signal);
  } catch (error) {
    if (!(error instanceof RegistryError && error.status === 412)) throw error;
  }
  return { identity: endpoint };
}

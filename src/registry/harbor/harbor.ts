import type { Redacted } from '../../common/redacted.ts';
import type { Capabilities, Connection, Place, Places, Tools } from '../back-end.ts';
import { RegistryError } from '../errors.ts';
import type { PlaceClient } from '../http/place-client.ts';
import { readUser } from './robot-answers.ts';
import { harborRequest, HarborRobots, type HarborCredentials } from './robots.ts';

/** `harbor` in a RegistryAccount's spec. */
export interface HarborBlock {
  /** Base URL. */
  url: string;
  /** Host as it stands in image names, where it is not that of the URL. */
  host?: string | undefined;
}

const DAY = 86_400_000;

export const HARBOR_CAPABILITIES: Capabilities = {
  issue: 'minted',
  access: ['ReadOnly', 'ReadWrite'],
  lifetimes: {
    kind: 'range',
    minimum: DAY,
    // As many days as Harbor counts in an int32.
    maximum: (2 ** 31 - 2) * DAY,
    granularity: DAY,
    never: true,
    default: DAY,
  },
  scope: { name: 'project', many: true },
  find: 'name',
  readBack: false,
  revoke: true,
  settling: { acceptance: 0, listing: 0 },
};

/** Harbor: https://goharbor.io/docs/latest/administration/robot-accounts/ */
export const HARBOR = {
  name: 'harbor',
  title: 'Harbor',
  capabilities: (): Capabilities => HARBOR_CAPABILITIES,

  places({ url, host }: HarborBlock): Places {
    const place: Place = { region: '', host: host ?? URL.parse(url)?.host ?? '', endpoint: url };
    return {
      defaultRegion: undefined,
      names: [],
      resolve: (region) => (region === undefined ? place : undefined),
    };
  },

  /** @param data of the credentials Secret; undefined: the account names none */
  readCredentials(
    data: ReadonlyMap<string, Redacted> | undefined,
  ): { credentials: HarborCredentials } | { problem: string } {
    const [username, password] = [data?.get('username'), data?.get('password')];
    if (username && password) return { credentials: { username: username.reveal(), password } };
    return { problem: 'Harbor needs the keys username and password in the credentials Secret' };
  },

  connect(
    { block, credentials }: { block: HarborBlock; credentials: HarborCredentials },
    { client, guard }: Tools<PlaceClient>,
  ): Connection {
    const { url } = block;
    return {
      verify: (signal) => verify(url, credentials, client({ region: '', host: '', endpoint: url }), signal),
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

/** A user can ask who it is; a robot, whose credentials are good, is told that it can't (412). */
async function verify(
  endpoint: string,
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
  return { identity: endpoint.replace(/\/+$/, '') };
}

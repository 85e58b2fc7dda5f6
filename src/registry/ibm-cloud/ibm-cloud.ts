import type { Redacted } from '../../common/redacted.ts';
import type { Capabilities, Connection, Place, Places, Tools } from '../back-end.ts';
import { accountIdOf } from '../ibm-iam/access-token.ts';
import { IamSession } from '../ibm-iam/iam-session.ts';
import type { PlaceClient } from '../http/place-client.ts';
import { Regions, type RegionDefinition } from '../ibm-iam/regions.ts';
import type { RegistryClient } from '../http/registry-client.ts';
import { ApiKeys } from './api-keys.ts';
import { IamClient } from './iam-client.ts';
import { Identities } from './identities.ts';

/** `ibmCloud` in a RegistryAccount's spec. */
export interface IbmCloudBlock {
  /** Default: the account of the API key. */
  accountId?: string | undefined;
  iamEndpoint?: string | undefined;
  /** Which hosts the Secrets name: Private needs a network with VRF. */
  network?: 'Public' | 'Private' | undefined;
  /** A service ID of the administrator's to create all keys on; default: one for each RegistryToken. */
  serviceId?: string | undefined;
}

const IAM_ENDPOINT = 'https://iam.cloud.ibm.com';
const DEFAULT_REGION = 'us-south';
const MINUTE = 60_000;
const DAY = 86_400_000;
/** IAM is eventually consistent: a policy can take up to five minutes to be in effect, a new key some seconds to be listed. */
const SETTLING = { acceptance: 5 * MINUTE, listing: MINUTE };

const CAPABILITIES: Capabilities = {
  issue: 'minted',
  access: ['ReadOnly', 'ReadWrite'],
  lifetimes: {
    kind: 'range',
    minimum: MINUTE,
    maximum: undefined,
    granularity: MINUTE,
    never: true,
    default: DAY,
  },
  scope: { name: 'registry namespace', many: true },
  find: 'tag',
  readBack: false,
  revoke: true,
  settling: SETTLING,
};

export interface IbmCloudCredentials {
  apiKey: Redacted;
}

/** IBM Cloud Container Registry (icr.io) by IAM's service IDs, policies and API keys. */
export const IBM_CLOUD = {
  name: 'ibmCloud',
  title: 'IBM Cloud',

  /** What an administrator's service ID may do, its own policies say. */
  capabilities: ({ serviceId }: IbmCloudBlock): Capabilities =>
    serviceId === undefined ? CAPABILITIES : { ...CAPABILITIES, scope: undefined },

  places(
    { iamEndpoint = IAM_ENDPOINT, network }: IbmCloudBlock,
    declared: readonly RegionDefinition[],
  ): Places {
    const regions = new Regions({ iamEndpoint, regions: declared });
    return {
      defaultRegion: DEFAULT_REGION,
      names: regions.names,
      resolve: (name = DEFAULT_REGION) => {
        const region = regions.find(name);
        if (!region) return undefined;
        const own = declared.some((each) => each.name === region.name);
        const host = network === 'Private' && !own ? `private.${region.host}` : region.host;
        // IAM has the tokens of all regions.
        return { region: region.name, host, endpoint: iamEndpoint };
      },
    };
  },

  readCredentials(
    data: ReadonlyMap<string, Redacted> | undefined,
  ): { credentials: IbmCloudCredentials } | { problem: string } {
    const apiKey = data?.get('apikey');
    return apiKey
      ? { credentials: { apiKey } }
      : { problem: 'IBM Cloud needs the key apikey in the credentials Secret, with an API key' };
  },

  connect(
    { name, block, credentials }: { name: string; block: IbmCloudBlock; credentials: IbmCloudCredentials },
    { client, login, clock, registryNow, guard }: Tools<PlaceClient> & { login: RegistryClient },
  ): Connection {
    const { iamEndpoint = IAM_ENDPOINT, accountId, serviceId } = block;
    const session = new IamSession(login, clock, {
      account: name,
      endpoint: iamEndpoint,
      value: credentials.apiKey,
    });
    const identities = new Identities(clock);
    const created = new Map<string, number>();
    const capabilities = IBM_CLOUD.capabilities(block);
    const open = (place: Place): ApiKeys =>
      new ApiKeys({
        client: new IamClient({ client: client(place), session, place, accountId, guard }),
        identities,
        place,
        serviceId,
        capabilities,
        created,
        clock,
        now: () => registryNow(place),
      });
    return {
      async verify(signal) {
        const grant = await session.prove(signal);
        const identity = accountIdOf(accountId, grant.accountId);
        const remark = await open({ region: '', host: '', endpoint: iamEndpoint }).remark(signal);
        return { identity, ...(remark !== undefined && { remark }) };
      },
      registry: open,
    };
  },
};

import type { Settling } from '../../api/capabilities.ts';
import { endpointForm, type Access, type BackEnd, type Capabilities, type Place } from '../port.ts';
import { accountIdOf } from '../ibm-iam/access-token.ts';
import { IamSession } from '../ibm-iam/iam-session.ts';
import { type ApiKeyCredentials, readApiKey } from '../ibm-iam/credentials.ts';
import { Regions } from '../ibm-iam/regions.ts';
import { ApiKeys, MAX_KEYS, type CreatedKey } from './api-keys.ts';
import { IamClient, MAX_LAG } from './iam-client.ts';
import { Identities } from './identities.ts';

/** `ibmCloud` in a RegistryAccount's spec. */
export interface IbmCloudBlock {
  /** Default: the account of the API key. */
  accountId?: string | undefined;
  iamEndpoint?: string | undefined;
  /** Whose hosts the Secrets name: Private needs a network with VRF. */
  network?: 'Public' | 'Private' | undefined;
  /** A service ID of the administrator's to create all keys on; default: one for each RegistryToken. */
  serviceId?: string | undefined;
  /** What the policies of that service ID allow. */
  serviceIdAccess?: Access | undefined;
}

const IAM_ENDPOINT = 'https://iam.cloud.ibm.com';
const DEFAULT_REGION = 'us-south';
const MINUTE = 60_000;
const DAY = 86_400_000;
/** IAM is eventually consistent: a policy can take minutes to be in effect, a new key takes some seconds to be listed, mostly. */
const SETTLING: Settling = { acceptance: MAX_LAG, listing: MINUTE, absence: MAX_LAG };

/** Of one group, which all accounts of operators use: https://cloud.ibm.com/docs/account?topic=account-known-issues#iam_limits */
const MAX_SERVICE_IDS = 2_000;

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
  scope: { name: 'registry namespace', covers: 'namespace', many: true, listedApart: false },
  find: 'tag',
  readBack: false,
  revoke: true,
  settling: SETTLING,
  quota: {
    registryTokens: MAX_SERVICE_IDS,
    why: `each has a service ID, of which IBM Cloud allows ${MAX_SERVICE_IDS} in a group`,
  },
};

/** The access of an administrator's service ID is what the account says that its policies allow. */
function capabilitiesOf({ serviceId, serviceIdAccess }: IbmCloudBlock): Capabilities {
  if (serviceId === undefined) return CAPABILITIES;
  return {
    ...CAPABILITIES,
    access: serviceIdAccess ? [serviceIdAccess] : [],
    scope: undefined,
    quota: {
      registryTokens: MAX_KEYS / 2,
      why: `each has two API keys while it is rotated, and IBM Cloud allows ${MAX_KEYS} on the service ID of the account`,
    },
  };
}

/** IBM Cloud Container Registry (icr.io) by IAM's service IDs, policies and API keys. */
export const IBM_CLOUD: BackEnd<IbmCloudBlock, ApiKeyCredentials> = {
  title: 'IBM Cloud',
  capabilities: capabilitiesOf,

  places({ iamEndpoint = IAM_ENDPOINT, network }, declared) {
    const regions = new Regions({ iamEndpoint, regions: declared });
    const resolve = (name = DEFAULT_REGION): Place | undefined => {
      const region = regions.find(name);
      if (!region) return undefined;
      const own = declared.some((each) => each.name === region.name);
      const host = network === 'Private' && !own ? `private.${region.host}` : region.host;
      // IAM has the tokens of all regions.
      return { region: region.name, host, endpoint: endpointForm(iamEndpoint) };
    };
    return {
      defaultRegion: DEFAULT_REGION,
      all: regions.names.flatMap((name) => resolve(name) ?? []),
      resolve,
    };
  },

  identity: ({ accountId }) => accountId || undefined,
  identityField: 'accountId',
  fault: ({ serviceId, serviceIdAccess }) =>
    (serviceId === undefined) === (serviceIdAccess === undefined)
      ? undefined
      : 'spec.ibmCloud: serviceId and serviceIdAccess go together; write serviceIdAccess: ReadOnly or ReadWrite, whichever the policies of that service ID allow',
  readCredentials: (data) => readApiKey(data, 'IBM Cloud'),

  connect({ name, block, credentials }, { client, login, clock, registryNow, guard }) {
    const { iamEndpoint = IAM_ENDPOINT, serviceId } = block;
    const accountId = block.accountId || undefined;
    const session = new IamSession(login, clock, {
      account: name,
      endpoint: iamEndpoint,
      value: credentials.apiKey,
    });
    const identities = new Identities(clock);
    const created = new Map<string, CreatedKey>();
    const deleted = new Map<string, number>();
    const capabilities = capabilitiesOf(block);
    const open = (place: Place): ApiKeys =>
      new ApiKeys({
        client: new IamClient({ client: client(place), session, place, accountId, guard }),
        identities,
        place,
        serviceId,
        capabilities,
        created,
        deleted,
        clock,
        now: () => registryNow(place),
      });
    return {
      async verify(signal) {
        const grant = await session.prove(signal);
        const identity = accountIdOf(accountId, grant.accountId);
        const place = { region: '', host: '', endpoint: endpointForm(iamEndpoint) };
        const remark = await open(place).remark(signal);
        return { identity, ...(remark !== undefined && { remark }) };
      },
      registry: open,
    };
  },
};

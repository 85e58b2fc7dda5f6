import { duration } from '../shared/options.ts';
import type { RegistryKind } from '../registry-kind.ts';
import { IamState } from './iam-state.ts';
import { IbmCloud } from './ibm-cloud.ts';

interface Options {
  apiKey: string;
  account: string;
  region: string;
  readLag: number;
  policyLag: number;
}

const API_KEY = 'sandbox-api-key';
const ACCOUNT = '0123456789abcdef0123456789abcdef';
const REGION = 'us-south';

/** IBM Cloud as it is: IAM's service IDs, policies and API keys. */
export const IBM_CLOUD: RegistryKind = {
  title: 'IBM Cloud',

  describe(command) {
    command
      .description(
        'IBM Cloud: service IDs, policies and API keys of IAM, and one region of Container Registry',
      )
      .requiredOption('--api-key <key>', 'API key of an administrator, for the operator')
      .option('--account <id>', 'IBM Cloud account', ACCOUNT)
      .option('--region <name>', 'region of the registry, or global', REGION)
      .option(
        '--read-lag <duration>',
        'how long lists do not show what was created or deleted, such as 10s',
        duration(0),
        0,
      )
      .option('--policy-lag <duration>', 'how long a policy takes until it is in effect', duration(0), 0);
    return (clock) => {
      const { apiKey, account, region, readLag: reading, policyLag: policy } = command.opts<Options>();
      const state = new IamState(account);
      Object.assign(state.lag, { reading, policy });
      const fake = new IbmCloud({ clock, state, region });
      fake.addAdministrator(apiKey);
      return fake;
    };
  },

  prepare(clock) {
    const fake = new IbmCloud({ clock, state: new IamState(ACCOUNT), region: REGION });
    fake.addAdministrator(API_KEY);
    return {
      fake,
      credentials: { apikey: API_KEY },
      account: (url, host) => ({ ibmCloud: { iamEndpoint: url }, regions: [{ name: REGION, host }] }),
      scopes: ['team', 'other'].map((name) => ({ name, repository: `${name}/app` })),
    };
  },
};

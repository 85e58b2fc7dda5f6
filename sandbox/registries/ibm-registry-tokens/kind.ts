import { createHash } from 'node:crypto';
import { duration, repeated, UsageError } from '../shared/options.ts';
import type { RegistryKind } from '../registry-kind.ts';
import type { ApiKey } from './identity.ts';
import { StateFile } from './state-file.ts';
import { TokenService } from './token-service.ts';

interface Options {
  apiKey: ApiKey[];
  tokenLifetime?: number;
  state?: string;
}

const API_KEY = 'sandbox-api-key';

/** The registry tokens of IBM Cloud Container Registry. */
export const IBM_REGISTRY_TOKENS: RegistryKind = {
  title: 'IBM registry tokens',

  describe(command) {
    command
      .description(
        'IBM Cloud Container Registry as it was: the token API of 2017 and the exchange of API keys',
      )
      .requiredOption(
        '--api-key <key[:account]>',
        'API key that is accepted, and the account it is for (32 hexadecimal digits; default: made from the key); can be repeated',
        repeated(parseApiKey),
      )
      .option('--token-lifetime <duration>', 'lifetime of tokens, such as 90s (default: 24h)', duration(1))
      .option('--state <file>', 'file that keeps tokens over a restart');
    return (clock) => {
      const { apiKey: apiKeys, tokenLifetime, state } = command.opts<Options>();
      return new TokenService({
        clock,
        apiKeys,
        ...(tokenLifetime !== undefined && { tokenLifetime }),
        ...(state !== undefined && { state: new StateFile(state) }),
      });
    };
  },

  prepare: (clock) => ({
    fake: new TokenService({ clock, apiKeys: [{ key: API_KEY, accountId: 'sandbox' }] }),
    credentials: { apikey: API_KEY },
    account: (url, host) => ({
      ibmRegistryTokens: { iamEndpoint: url },
      regions: [{ name: 'us-south', host, endpoint: url }],
    }),
    scopes: [],
  }),
};

function parseApiKey(text: string): ApiKey {
  const [, key, accountId] = /^([^:]+)(?::([0-9a-f]{32}))?$/.exec(text) ?? [];
  if (key === undefined) throw new UsageError('an --api-key is neither KEY nor KEY:ACCOUNT');
  return { key, accountId: accountId ?? createHash('sha256').update(key).digest('hex').slice(0, 32) };
}

import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { Redacted } from '../../src/common/redacted.ts';
import { IBM_REGISTRY_TOKENS } from '../../src/registry/ibm-registry-tokens/ibm-registry-tokens.ts';
import { registerSecret } from '../support/secrecy.ts';
import { aToolbox } from '../support/toolbox.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { describeMinted } from './minted.ts';
import { FakeSender } from './support/fake-sender.ts';
import type { Stage } from './support/stage.ts';

const IAM = 'https://iam.cloud.ibm.com';
const REGISTRY = 'https://us.icr.io';
const API_KEY = 'operators-own-api-key-of-registry-tokens';
const ACCOUNT = '0123456789abcdef0123456789abcdef';
registerSecret(API_KEY);

describeMinted('IBM registry tokens', prepare);

async function prepare(): Promise<Stage> {
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const fake = new TokenService({
    clock,
    host: 'us.icr.io',
    apiKeys: [{ key: API_KEY, accountId: ACCOUNT }],
  });
  const sender = new FakeSender(
    new Map([
      [IAM, fake],
      [REGISTRY, fake],
    ]),
    clock,
  );
  const connection = (guard?: () => void) =>
    IBM_REGISTRY_TOKENS.connect(
      { name: 'default', block: {}, credentials: { apiKey: new Redacted(API_KEY) } },
      aToolbox({ clock, sender, guard }),
    );
  const place = IBM_REGISTRY_TOKENS.places({}, []).resolve(undefined);
  if (!place) throw new Error('there is a default region');
  return {
    clock,
    sender,
    fake,
    connect: (guard) => connection(guard).registry(place),
    verify: () => connection().verify(new AbortController().signal),
    scopes: [],
    outside: undefined,
    secrets: [API_KEY],
    operations: { issue: 'mint', list: 'list', revoke: 'revoke' },
    left: () => fake.tokens().map(({ id }) => id),
  };
}

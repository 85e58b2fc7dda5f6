import { IamState, type Lag } from '../../sandbox/registries/ibm-cloud/iam-state.ts';
import { IbmCloud } from '../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import { Redacted } from '../../src/common/redacted.ts';
import { IBM_CLOUD } from '../../src/registry/ibm-cloud/ibm-cloud.ts';
import { registerSecret } from '../support/secrecy.ts';
import { aToolbox } from '../support/toolbox.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { describeMinted } from './minted.ts';
import { FakeSender } from './support/fake-sender.ts';
import type { Stage } from './support/stage.ts';

const IAM = 'https://iam.cloud.ibm.com';
const API_KEY = 'operators-own-api-key-of-ibm-cloud';
registerSecret(API_KEY);

for (const region of ['us-south', 'global']) describeMinted(`IBM Cloud in ${region}`, () => prepare(region));
describeMinted('IBM Cloud whose IAM lags', () => prepare('us-south', { reading: 30_000, policy: 240_000 }));

async function prepare(region: string, lag: Lag = { reading: 0, policy: 0 }): Promise<Stage> {
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:30Z'));
  const state = new IamState('0123456789abcdef0123456789abcdef');
  Object.assign(state.lag, lag);
  state.quotas.keysPerIdentity = 500;
  const fake = new IbmCloud({ clock, state, region, host: 'us.icr.io' });
  fake.addAdministrator(API_KEY);
  const sender = new FakeSender(new Map([[IAM, fake]]), clock);
  const connection = (guard?: () => void) =>
    IBM_CLOUD.connect(
      { name: 'default', block: {}, credentials: { apiKey: new Redacted(API_KEY) } },
      aToolbox({ clock, sender, guard }),
    );
  const place = IBM_CLOUD.places({}, []).resolve(region);
  if (!place) throw new Error(`IBM Cloud has the region ${region}`);
  return {
    clock,
    sender,
    fake,
    connect: (guard) => connection(guard).registry(place),
    verify: () => connection().verify(new AbortController().signal),
    scopes: ['team-a', 'team-b'],
    outside: 'team-c/app',
    secrets: [API_KEY],
    operations: { issue: 'mint', list: 'list', revoke: 'revoke' },
    limits: (['keysPerIdentity', 'serviceIds', 'policies'] as const).map(
      (name) => (most) => (state.quotas[name] = most === 'more' ? 500 : 1),
    ),
    left: () => {
      const alive = [...state.serviceIds.values(), ...state.policies.values(), ...state.keys.values()];
      return alive
        .filter(({ deletedAt, createdAt }) => deletedAt === undefined && createdAt > 0)
        .map(({ id }) => id);
    },
  };
}

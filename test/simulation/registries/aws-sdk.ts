import { ECR } from '../../../src/registry/ecr/ecr.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import { Ecr } from '../../../sandbox/registries/ecr/ecr.ts';
import { FakeSender } from '../../conformance/support/fake-sender.ts';
import { aRequest } from '../../conformance/support/stage.ts';
import { aToolbox } from '../../support/toolbox.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const ACCOUNT = '123456789012';
const ENDPOINT = 'https://aws.test';
const KEYS = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };
const ANYTHING = [{ effect: 'Allow', actions: ['*'], resources: ['*'] }] as const;
const USER = { arn: `arn:aws:iam::${ACCOUNT}:user/operator`, ...KEYS, permissions: ANYTHING };
const ROLE = { arn: `arn:aws:iam::${ACCOUNT}:role/puller`, trusts: [USER.arn], permissions: ANYTHING };

let loading: Promise<void> | undefined;

/** Loads all of AWS's SDK that exchanges need: it loads parts when they are first used, and virtual time does not wait for that. */
export function loadAwsSdk(): Promise<void> {
  return (loading ??= exchangeOnce());
}

async function exchangeOnce(): Promise<void> {
  const clock = new VirtualClock();
  const region = 'us-east-1';
  const fake = new Ecr({ clock, registryId: ACCOUNT, region, users: [USER], roles: [ROLE] });
  const sender = new FakeSender(new Map([[ENDPOINT, fake]]), clock);
  const keys = {
    accessKeyId: new Redacted(KEYS.accessKeyId),
    secretAccessKey: new Redacted(KEYS.secretAccessKey),
    sessionToken: undefined,
    expiresAt: undefined,
  };
  const block = { registryId: ACCOUNT, roleArn: ROLE.arn, stsEndpoint: ENDPOINT };
  const connection = ECR.connect(
    { name: 'default', block, credentials: { kind: 'keys', keys } },
    aToolbox({ clock, sender }),
  );
  const { signal } = new AbortController();
  await connection.verify(signal);
  await connection
    .registry({ region, host: 'aws.test', endpoint: ENDPOINT })
    .issue(aRequest({ scope: ['app'] }), signal);
}

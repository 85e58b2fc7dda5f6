import { Harbor } from '../../sandbox/registries/harbor/harbor.ts';
import type { Permission } from '../../sandbox/registries/harbor/robot.ts';
import { Redacted } from '../../src/common/redacted.ts';
import { HARBOR } from '../../src/registry/harbor/harbor.ts';
import { readPage } from '../support/pages.ts';
import { registerSecret } from '../support/secrecy.ts';
import { aToolbox } from '../support/toolbox.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { describeMinted } from './minted.ts';
import { FakeSender } from './support/fake-sender.ts';
import type { Stage } from './support/stage.ts';

const URL = 'https://harbor.example.com';
const PASSWORD = 'Harbor12345-of-the-operator';
registerSecret(PASSWORD);

/** Those of the robot that docs/registries/harbor.md has made for the operator. */
async function documentedPermissions(): Promise<Permission[]> {
  const page = await readPage('registries/harbor.md');
  const [, body = ''] = /api\/v2\.0\/robots --data '(.*?)'\n/s.exec(page) ?? [];
  return (JSON.parse(body) as { permissions: Permission[] }).permissions;
}

/** Accounts with which robots can be managed. */
const ACCOUNTS = ['administrator', 'administrator of projects', 'robot of the system'] as const;

for (const account of ACCOUNTS) describeMinted(`Harbor, as ${account}`, () => prepare(account));

async function prepare(account: (typeof ACCOUNTS)[number]): Promise<Stage> {
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const fake = new Harbor({
    clock,
    host: 'harbor.example.com',
    projects: ['team-a', 'team-b', 'team-c'],
    users: [
      {
        username: 'operator',
        password: PASSWORD,
        administrator: account === 'administrator',
        projects: ['team-a', 'team-b', 'team-c'],
      },
    ],
  });
  const own = new Set<number>();
  let username = 'operator';
  if (account === 'robot of the system') {
    own.add(
      fake.addRobot({
        name: 'operator',
        project: undefined,
        description: 'for the operator',
        level: 'system',
        duration: -1,
        expiresAt: null,
        disabled: false,
        permissions: await documentedPermissions(),
        secret: PASSWORD,
      }).id,
    );
    username = 'robot$operator';
  }
  const sender = new FakeSender(new Map([[URL, fake]]), clock);
  const connection = (guard?: () => void) =>
    HARBOR.connect(
      { name: 'default', block: { url: URL }, credentials: { username, password: new Redacted(PASSWORD) } },
      aToolbox({ clock, sender, guard }),
    );
  const place = HARBOR.places({ url: URL }, []).resolve(undefined);
  if (!place) throw new Error('Harbor has a place');
  return {
    clock,
    sender,
    fake,
    connect: (guard) => connection(guard).registry(place),
    verify: () => connection().verify(new AbortController().signal),
    scopes: ['team-a', 'team-b'],
    outside: account === 'administrator of projects' ? undefined : 'team-c/app',
    secrets: [PASSWORD],
    operations: { issue: 'mint', list: 'list', revoke: 'revoke' },
    left: () =>
      fake
        .robots()
        .filter(({ id }) => !own.has(id))
        .map(({ name }) => name),
  };
}

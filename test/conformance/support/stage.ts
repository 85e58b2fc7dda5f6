import { createHash } from 'node:crypto';
import type { FakeRegistry } from '../../../sandbox/registries/shared/fake-registry.ts';
import type { IssueRequest, Registry } from '../../../src/registry/port.ts';
import { describe as describeToken, type Tag } from '../../../src/token/sweep/tag.ts';
import type { VirtualClock } from '../../support/virtual-clock.ts';
import type { FakeSender } from './fake-sender.ts';

/** A back end with its fake, as an account uses it. */
export interface Stage {
  clock: VirtualClock;
  sender: FakeSender;
  fake: FakeRegistry;
  /** The registry as a process that has just started has it. @param guard asked before anything is created or deleted */
  connect(guard?: () => void): Registry;
  /** Whose the account's credentials are. */
  verify(): Promise<{ identity: string }>;
  /** Names that `scope` can take, at least two; none where there are no scopes. */
  scopes: readonly string[];
  /** A repository outside of `scopes` that a token for all has; undefined where the account can't give such a token. */
  outside: string | undefined;
  /** Of the account. */
  secrets: readonly string[];
  /** Operation of the fake that creates a token, and the one that lists. */
  operations: { issue: string; list: string; revoke: string };
  /** Lets the account have no more than it has, in one way after the other, where the registry limits that. */
  limits?: readonly ((most: 'what there is' | 'more') => void)[];
  /** What is at the fake: tokens and what they hang on, by id. */
  left(): string[];
}

export const CLUSTER = 'cluster-1';
export const UID = '5d1c9ae2-9a0d-4b9c-8d2e-0f4f9a2c7b11';

/** A request for the first token of a RegistryToken. */
export function aRequest(part: Partial<IssueRequest> & Partial<Tag> = {}): IssueRequest {
  const { clusterId = CLUSTER, uid = UID, revision = 1, ...rest } = part;
  const tag = { clusterId, uid, revision };
  const wanted = { access: 'ReadOnly', lifetime: 86_400_000, scope: [], ...rest } as const;
  const specHash = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 16);
  return { tag, specHash, description: describeToken('team a', tag), ...wanted };
}

/**
 * What the registry's token endpoint grants a credential on a repository: its actions; undefined when it refuses it.
 * @param realm path of the token endpoint, where the registry's challenge does not name it
 */
export async function granted(
  { fake, realm: known }: Pick<Stage, 'fake'> & { realm?: string },
  { username, value }: { username: string; value: { reveal(): string } },
  repository: string,
): Promise<string[] | undefined> {
  const basic = `Basic ${Buffer.from(`${username}:${value.reveal()}`).toString('base64')}`;
  const challenge = await fake.handle({ method: 'GET', path: '/v2/', headers: {}, body: '' });
  const realm = /realm="?([^",]+)/.exec(challenge.headers['www-authenticate'] ?? '')?.[1] ?? '';
  const pathname = known ?? new URL(realm).pathname;
  const ask = async (query: string): Promise<{ status: number; body: string }> =>
    fake.handle({ method: 'GET', path: `${pathname}?${query}`, headers: { authorization: basic }, body: '' });
  // Without a scope first: some registries give a token that grants nothing to bad credentials that come with one.
  if ((await ask('service=registry')).status !== 200) return undefined;
  const scope = encodeURIComponent(`repository:${repository}:pull,push`);
  const answer = await ask(`service=registry&scope=${scope}`);
  const { token } = JSON.parse(answer.body) as { token: string };
  const [, claims = ''] = token.split('.');
  const { access } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
    access: { actions: string[] }[];
  };
  return access.flatMap(({ actions }) => actions).sort();
}

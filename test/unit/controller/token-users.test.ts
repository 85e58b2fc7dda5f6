import { expect } from 'chai';
import { TOKEN_ID_ANNOTATION } from '../../../src/api/names.ts';
import type { KubeObject } from '../../../src/common/objects.ts';
import { TokenUsers, type WatchedUsers } from '../../../src/controller/sweep/token-users.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { anAccount, anIntent, anIssuedToken, aPrevious, aRecord, at } from '../../support/builders.ts';

const { signal } = new AbortController();
const TOKEN = anIssuedToken({ metadata: { uid: 'uid-1' } });

const holding = (id: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'app',
    uid: `secret with ${id}`,
    resourceVersion: '1',
    creationTimestamp: at(0),
    annotations: { [TOKEN_ID_ANNOTATION]: id },
  },
});
const keeping = (id: string) =>
  anAccount({ status: { retainedTokens: [{ id, region: 'us-south', retainedAt: at(0) } as never] } });

const NOTHING: WatchedUsers = {
  tokens: () => [],
  secrets: () => [],
  accounts: () => [],
  deletions: { gone: () => new Set<string>() },
};

/** What uses tokens, of an API server with these objects; and the paths it was asked for. */
function usersAt(
  objects: { tokens?: KubeObject[]; secrets?: KubeObject[]; accounts?: KubeObject[] },
  { watched = NOTHING, namespaces = [] }: { watched?: WatchedUsers; namespaces?: string[] } = {},
): { users: TokenUsers; paths: string[]; kept: unknown[] } {
  const paths: string[] = [];
  const kept: unknown[] = [];
  const kinds: [string, KubeObject[] | undefined][] = [
    ['registrytokens', objects.tokens],
    ['secrets', objects.secrets],
    ['registryaccounts', objects.accounts],
  ];
  const request = async ({ path, keep = (item) => item }: Call): Promise<unknown> => {
    paths.push(path);
    const items = kinds.find(([plural]) => path.endsWith(`/${plural}`))?.[1] ?? [];
    const keeps = items.map(keep);
    kept.push(...keeps);
    return { metadata: { resourceVersion: '1' }, items: keeps };
  };
  const stream = (): never => expect.fail('nothing is watched');
  const transport = { request, stream, close: async () => undefined };
  const client = new KubeClient(transport, { fieldManager: 'test' });
  return { users: new TokenUsers(client, watched, namespaces), paths, kept };
}

describe('what uses tokens', () => {
  it('are by the watches: the RegistryTokens, the Secrets and what accounts keep on purpose', () => {
    const { users, paths } = usersAt(
      {},
      {
        watched: {
          ...NOTHING,
          tokens: () => [TOKEN],
          secrets: () => [holding('held')],
          accounts: () => [keeping('kept')],
        },
      },
    );
    const found = users.watched();
    expect([...found.inUse.keys()]).to.have.members(['token-1', 'held', 'kept']);
    expect(found.known).to.equal(undefined);
    expect(paths).to.deep.equal([]);
  });

  it('are by the API server: the same, whatever the watches saw', async () => {
    const lostIntents = [{ revision: 1, nonce: 'lostlost' }];
    const token = anIssuedToken({
      metadata: { uid: 'uid-1' },
      status: {
        previousTokens: [aPrevious({ id: 'token-0', specHash: 'former' })],
        mintIntent: anIntent(),
        lostIntents,
      },
    });
    const { users } = usersAt({ tokens: [token], secrets: [holding('held')], accounts: [keeping('kept')] });
    const found = await users.live([], signal);
    expect([...found.inUse.keys()]).to.have.members(['token-1', 'token-0', 'held', 'kept']);
    const { specHash } = anIntent();
    expect([...found.inHand]).to.deep.equal([
      [
        'uid-1',
        {
          ids: new Set(['token-1', 'token-0']),
          specHashes: new Set([specHash, 'former']),
          mintIntent: anIntent(),
          lostIntents,
        },
      ],
    ]);
  });

  it('are listed without what RegistryTokens say of anything else, of which there can be many', async () => {
    const token = aRecord();
    const listed = anIssuedToken({ spec: { scope: ['team-a'] }, status: { token, host: 'us.icr.io' } });
    const { users, kept } = usersAt({ tokens: [listed] });
    await users.live([], signal);
    expect(kept).to.have.length(1);
    expect(kept[0]).to.deep.include({ spec: {}, status: { token } });
  });

  it('are of all namespaces asked for at once', async () => {
    const { users, paths } = usersAt({});
    await users.live([], signal);
    expect(paths).to.have.members([
      '/apis/pullsecrets.dev/v1alpha1/registrytokens',
      '/api/v1/secrets',
      '/apis/pullsecrets.dev/v1alpha1/registryaccounts',
    ]);
  });

  it('are of some namespaces asked for one by one, and spoken for are those seen there, those seen deleted and those told', async () => {
    const watched = { ...NOTHING, deletions: { gone: () => new Set(['deleted']) } };
    const { users, paths } = usersAt({ tokens: [TOKEN] }, { watched, namespaces: ['a', 'b'] });
    const { known } = await users.live(['told'], signal);
    expect([...(known ?? [])]).to.have.members(['uid-1', 'deleted', 'told']);
    expect(paths).to.have.members([
      '/apis/pullsecrets.dev/v1alpha1/namespaces/a/registrytokens',
      '/apis/pullsecrets.dev/v1alpha1/namespaces/b/registrytokens',
      '/api/v1/namespaces/a/secrets',
      '/api/v1/namespaces/b/secrets',
      '/apis/pullsecrets.dev/v1alpha1/registryaccounts',
    ]);
  });
});

import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { FormerSecrets, NONE_LEFT } from '../../../src/controller/token/former-secrets.ts';
import type { SecretObject, SecretStore } from '../../../src/controller/token/secret-store.ts';
import type { ObjectName } from '../../../src/common/objects.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { Logs } from '../kube/support/logs.ts';
import { aCredential, anIssuedToken, aSecret, at } from '../../support/builders.ts';

const { signal } = new AbortController();
const TOKEN = anIssuedToken({ metadata: { name: 'app' }, spec: { secret: { name: 'new' } } });

/** Whose work a payload is. */
const written = (manager: string, operation = 'Apply') => ({
  manager,
  operation,
  fieldsV1: { 'f:data': { 'f:.dockerconfigjson': {} } },
});

/** A Secret of the RegistryToken's under some name, holding some token. */
const secret = (
  name: string,
  tokenId: string,
  uid = TOKEN.metadata.uid,
  managedFields = [written('registry-token-operator')],
): SecretObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  ...aSecret(
    { metadata: { name, uid: `uid of ${name}`, managedFields } },
    { token: { ...TOKEN, metadata: { ...TOKEN.metadata, uid } }, credential: aCredential({ tokenId }) },
  ),
});

function stage(
  cluster: SecretObject[],
  {
    watched = cluster,
    given = [],
    wanted = {},
    conflict = false,
  }: {
    watched?: SecretObject[];
    given?: string[];
    wanted?: Record<string, RegistryToken[]>;
    conflict?: boolean;
  } = {},
): { former: FormerSecrets; removed: string[]; told: string[]; logs: Logs; reads: string[] } {
  const removed: string[] = [];
  const reads: string[] = [];
  const told: string[] = [];
  const logs = new Logs();
  const secrets: Pick<SecretStore, 'read' | 'removeUnchanged'> = {
    read: ({ name }: ObjectName) => {
      reads.push(name);
      return Promise.resolve(cluster.find(({ metadata }) => metadata.name === name));
    },
    removeUnchanged: ({ metadata }: SecretObject) =>
      conflict
        ? Promise.reject(new KubeError('changed meanwhile', { status: 409 }))
        : Promise.resolve(void removed.push(metadata.name)),
  };
  const former = new FormerSecrets({
    secrets,
    watches: { secretsOf: () => watched, claimants: (_, name) => wanted[name] ?? [] },
    linker: { gives: (_, name) => given.includes(name) },
    events: { event: (_, __, reason, note) => void told.push(`${reason}: ${note}`) },
    logger: logs,
  });
  return { former, removed, told, logs, reads };
}

describe('the former Secrets of a RegistryToken', () => {
  it('go when a Secret of another name has taken their place, recorded or not', async () => {
    const { former, removed } = stage([
      secret('old', 'token-1'),
      secret('older', 'token-0'),
      secret('new', 'token-2'),
    ]);
    expect(await former.remove(TOKEN, 'new', signal)).to.deep.equal(NONE_LEFT);
    expect(removed).to.deep.equal(['old', 'older']);
  });

  it('stay while ServiceAccounts give them to pods, to be looked at again', async () => {
    const cluster = [secret('old', 'token-1'), secret('older', 'token-0'), secret('new', 'token-2')];
    const { former, removed } = stage(cluster, { given: ['old', 'new'] });
    expect(await former.remove(TOKEN, 'new', signal)).to.deep.equal({ held: ['token-1'], lookAfter: 1_000 });
    expect(removed).to.deep.equal(['older']);
  });

  it('stay, and what they hold, while another RegistryToken wants them: it takes them over in place', async () => {
    const cluster = [secret('old', 'token-1'), secret('new', 'token-2')];
    const rival = anIssuedToken({ metadata: { name: 'rival', uid: 'rival' } });
    const { former, removed } = stage(cluster, { wanted: { old: [TOKEN, rival] } });
    expect(await former.remove(TOKEN, 'new', signal)).to.deep.equal({ held: ['token-1'], lookAfter: 60_000 });
    expect(removed).to.deep.equal([]);
  });

  it('go where whoever wants them is being deleted', async () => {
    const rival = anIssuedToken({
      metadata: { name: 'rival', uid: 'rival', deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    const { former, removed } = stage([secret('old', 'token-1')], { wanted: { old: [rival] } });
    await former.remove(TOKEN, 'new', signal);
    expect(removed).to.deep.equal(['old']);
  });

  it('go when only the status knows of them', async () => {
    const { former, removed } = stage([secret('old', 'token-1')], { watched: [] });
    const token = { ...TOKEN, status: { ...TOKEN.status, secretRef: { name: 'old', uid: 'uid of old' } } };
    await former.remove(token, 'new', signal);
    expect(removed).to.deep.equal(['old']);
  });

  it('stay when they belong to somebody else by now', async () => {
    const { former, removed } = stage([secret('old', 'token-1', 'another')], {
      watched: [secret('old', 'token-1')],
    });
    await former.remove(TOKEN, 'new', signal);
    expect(removed).to.deep.equal([]);
  });

  it('are looked at again where they are changed while they go', async () => {
    const { former, told } = stage([secret('old', 'token-1')], { conflict: true });
    const error: unknown = await former.remove(TOKEN, 'new', signal).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(KubeError);
    expect(told).to.deep.equal([]);
  });

  it('are left alone where they are gone, or about to go', async () => {
    const watched = [secret('gone', 'token-1'), secret('going', 'token-0')];
    const going = secret('going', 'token-0');
    going.metadata.deletionTimestamp = at(0);
    const { former, removed, told } = stage([going], { watched });
    expect(await former.remove(TOKEN, 'new', signal)).to.deep.equal(NONE_LEFT);
    expect([removed, told]).to.deep.equal([[], []]);
  });

  it('are told of when they go', async () => {
    const { former, told, logs } = stage([secret('old', 'token-1')]);
    await former.remove(TOKEN, 'new', signal);
    const note = 'Secret old deleted: Secret new has taken its place';
    expect(told).to.deep.equal([`SecretRemoved: ${note}`]);
    expect(logs.messages('info')).to.deep.equal([note]);
  });

  for (const [what, managedFields] of [
    ['a copy that somebody applied', [written('kubectl-client-side-apply', 'Update')]],
    [
      'what somebody wrote under the operator’s name, but not by applying',
      [written('registry-token-operator', 'Update')],
    ],
    [
      'one whose payload somebody changed',
      [
        { ...written('registry-token-operator'), fieldsV1: { 'f:type': {} } },
        written('kubectl-edit', 'Update'),
      ],
    ],
    ['one of which that is not known', []],
  ] as [string, ReturnType<typeof written>[]][])
    it(`are none of these: ${what}; it stays, and nobody comes back for it`, async () => {
      const { former, removed, told, reads } = stage([secret('copy', 'token-1', undefined, managedFields)]);
      expect(await former.remove(TOKEN, 'new', signal)).to.deep.equal(NONE_LEFT);
      expect([removed, told, reads]).to.deep.equal([[], [], []]);
    });

  it('go sixteen at a time, however many seem to be some, and what the others hold is spared until then', async () => {
    const cluster = Array.from({ length: 17 }, (_, n) => secret(`old-${n}`, `token-${n}`));
    const { former, removed, reads } = stage(cluster);
    expect(await former.remove(TOKEN, 'new', signal)).to.deep.equal({ held: ['token-16'], lookAfter: 1_000 });
    expect([removed.length, reads.length]).to.deep.equal([16, 16]);
  });

  it('tell which tokens they hold', () => {
    const { former } = stage([secret('old', 'token-1'), secret('new', 'token-2')]);
    expect(former.held(TOKEN)).to.deep.equal(['token-1', 'token-2']);
  });
});

describe('the credential in a Secret of a former name', () => {
  const credential = async (
    cluster: SecretObject[],
    tokenId = 'token-1',
    name = 'old',
    watched: SecretObject[] = [],
  ) => {
    const secretRef = { name, uid: 'uid of old' };
    const { former } = stage(cluster, { watched });
    const found = await former.credential(TOKEN, { secretRef }, tokenId, signal);
    return found && { id: found.tokenId, value: found.value.reveal() };
  };
  const old = secret('old', 'token-1');

  it('is there while it is intact', async () => {
    expect(await credential([old])).to.deep.equal({ id: 'token-1', value: aCredential().value.reveal() });
  });

  it('is there in one that the status could not name yet, the one that it names being gone', async () => {
    const unnamed = secret('unnamed', 'token-1');
    const others = [secret('another', 'token-0'), secret('new', 'token-1')];
    const value = aCredential().value.reveal();
    for (const name of ['old', 'new'])
      expect(await credential([unnamed], 'token-1', name, [...others, unnamed])).to.deep.equal({
        id: 'token-1',
        value,
      });
  });

  it('is not taken from a copy that somebody made', async () => {
    const copy = secret('copy', 'token-1', undefined, [written('kubectl', 'Update')]);
    expect(await credential([copy], 'token-1', 'old', [copy])).to.equal(undefined);
  });

  for (const [what, cluster, ...rest] of [
    ['there is none', []],
    ['it belongs to another', [secret('old', 'token-1', 'another')]],
    ['it holds another token', [old], 'token-2'],
    ['it was changed', [{ ...old, data: { '.dockerconfigjson': 'e30=' } }]],
    ['its name is the one wanted', [secret('new', 'token-1')], 'token-1', 'new'],
  ] as [string, SecretObject[], string?, string?][])
    it(`is not to be had where ${what}`, async () => {
      expect(await credential(cluster, ...rest)).to.equal(undefined);
    });
});

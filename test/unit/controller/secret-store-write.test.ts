import { expect } from 'chai';
import type { Task } from '../../../src/controller/token/progress.ts';
import {
  SecretStore,
  type Placed,
  type SecretObject,
  type SecretStoreOptions,
} from '../../../src/controller/token/secret-store.ts';
import { KubeError, refusal } from '../../../src/kube/client/errors.ts';
import type { SecretManifest } from '../../../src/token/secret/secret.ts';
import type { Takeover } from '../../../src/token/secret/secret-view.ts';
import { ABSENT, aCredential, aSecret, aSituation, HOST, ours, type Part } from '../../support/builders.ts';
import { Logs } from '../kube/support/logs.ts';

const { value } = aCredential();
/** Fingerprint of what the builders' Secret says: it is in statuses, and must not change by accident. */
const APPLIED = '5b96990799707dcb';
const PATCH = { method: 'PATCH', path: '/api/v1/namespaces/team/secrets/app' };

/** Writes, while the API server does this with it. */
async function write(
  server: (manifest: SecretManifest) => SecretObject,
  secret = ours(),
  refusesToForget = false,
  before: SecretObject | KubeError = new KubeError('down', { status: 503 }),
): Promise<{
  placed: Placed | Error;
  uid: string | undefined;
  resourceVersion: string | undefined;
  force: boolean | undefined;
  effects: string[];
}> {
  let applied: { metadata: { uid?: string; resourceVersion?: string } } | undefined;
  let force: boolean | undefined;
  const effects: string[] = [];
  const client = {
    get: () => (before instanceof KubeError ? Promise.reject(before) : Promise.resolve(before)),
    apply: (_: unknown, manifest: SecretManifest, options: { force: boolean }) => {
      applied = manifest;
      ({ force } = options);
      effects.push('written');
      return Promise.resolve().then(() => server(manifest));
    },
  };
  const { token, spec, wanted } = aSituation({ secret });
  const status = token.status ?? {};
  const task: Task = { token, status, spec, wanted, secret, tokenIsGone: false, stake: 'nothing' };
  const signal = new AbortController().signal;
  const store = new SecretStore({
    client: client as unknown as SecretStoreOptions['client'],
    cached: () => expect.fail('the watch is not asked'),
    retention: {
      forget: async (id, { namespace, name }, account) => {
        if (refusesToForget) throw new KubeError('down', { status: 503 });
        effects.push(`${id} of ${namespace}/${name} at ${account} forgotten`);
      },
    },
    events: { event: (_, __, reason, note) => void effects.push(`${reason}: ${note}`) },
    logger: new Logs(),
  });
  const placed = await store.write(task, HOST, aCredential(), signal).catch((error: Error) => error);
  const { uid, resourceVersion } = applied?.metadata ?? {};
  return { placed, uid, resourceVersion, force, effects };
}
const stored =
  (part: Part<SecretObject> = {}) =>
  () =>
    ({ apiVersion: 'v1', kind: 'Secret', ...aSecret(part) }) as SecretObject;
const refuse =
  (code: number, message: string, details = {}) =>
  (): never => {
    throw refusal(PATCH, code, {
      kind: 'Status',
      reason: code === 403 ? 'Forbidden' : 'Other',
      message,
      details,
    });
  };

describe('a token is put into the Secret', () => {
  it('that was looked at, by force, and only as it was then: another process may have put a later token there', async () => {
    expect(await write(stored())).to.deep.equal({
      placed: {
        secretRef: { name: 'app', uid: 'secret-uid', resourceVersion: '7', appliedHash: APPLIED },
      },
      uid: 'secret-uid',
      resourceVersion: '7',
      force: true,
      effects: ['written'],
    });
  });

  it('that was not there, without force, and only if there still is none: what was made meanwhile stays, by another process too', async () => {
    const made = { uid: undefined, resourceVersion: '1', force: false };
    expect(await write(stored(), ABSENT)).to.include(made);
  });

  const taken = (from: Takeover['from']) =>
    ours({
      takeover: {
        from,
        message: 'Secret app is taken over',
        tokenId: 'token-0',
        ...(from === 'Left' ? { leftBy: 'former' } : {}),
      },
    });

  it('that an earlier RegistryToken left: its token is no longer kept on purpose, before it is overwritten', async () => {
    expect((await write(stored(), taken('Left'))).effects).to.deep.equal([
      'token-0 of team/former at default forgotten',
      'written',
      'SecretTakenOver: Secret app is taken over',
    ]);
  });

  it('that an earlier RegistryToken left not before it is certain that its token is not kept on purpose', async () => {
    const { placed, effects } = await write(stored(), taken('Left'), true);
    expect(placed).to.be.instanceOf(KubeError);
    expect(effects).to.deep.equal([]);
  });

  it('that is taken over only as it was when that was decided', async () => {
    for (const from of ['Left', 'GivenUp', 'Younger', 'Adopted'] as const)
      expect(await write(stored(), taken(from))).to.include({ resourceVersion: '7' });
  });

  it('that another RegistryToken gave up: that is told', async () => {
    expect((await write(stored(), taken('GivenUp'))).effects).to.deep.equal([
      'written',
      'SecretTakenOver: Secret app is taken over',
    ]);
  });

  it('in vain: nothing is said to be taken over', async () => {
    expect((await write(refuse(403, 'no'), taken('Adopted'))).effects).to.deep.equal(['written']);
  });

  it('and changed on its way: that is a failure, with the Secret as it is now', async () => {
    const { placed } = await write(stored({ data: { '.dockerconfigjson': 'eyJhdXRocyI6e319' } }));
    expect(placed).to.have.property('failure').that.deep.equals({
      reason: 'SecretContested',
      message:
        'Secret app was changed on its way into the cluster, by a webhook? What was stored differs from what was sent in .dockerconfigjson',
      retryable: false,
    });
    expect(placed).to.have.property('secret').that.includes({ state: 'ours', holds: undefined });
  });

  it('and refused by a webhook that quotes it: who and why, without the value, whatever the code', async () => {
    for (const code of [400, 403, 418, 500]) {
      const said = `admission webhook "w.test" denied the request: ${value.reveal()} is bad`;
      const { placed } = await write(refuse(code, said));
      expect(placed).to.have.nested.property('failure.reason', 'SecretNotWritten');
      expect(JSON.stringify(placed)).to.match(/webhook .*w.test.* denied the request: \[redacted\] is bad/);
    }
  });

  it('and refused by a webhook that quotes what was in the Secret, which is read for that: without the value', async () => {
    const before = stored()();
    const earlier = Buffer.from(before.data?.['.dockerconfigjson'] ?? '', 'base64').toString();
    const password = /"password":"([^"]+)"/.exec(earlier)?.[1] ?? expect.fail('the Secret holds nothing');
    const denial = refuse(403, `admission webhook "w.test" denied the request: ${password} is good`);
    const seen = ours({ payload: undefined, version: before.metadata.resourceVersion });
    const { placed } = await write(denial, seen, false, before);
    expect(JSON.stringify(placed)).to.contain('[redacted] is good').and.not.contain(password);
  });

  for (const [what, before] of [
    ['can not be read', new KubeError('down', { status: 503 })],
    ['has changed since', stored({ metadata: { resourceVersion: '99' } })()],
  ] as const)
    it(`and refused by a webhook where what was in the Secret ${what}: nothing is quoted`, async () => {
      const denial = refuse(403, 'admission webhook "w.test" denied the request: hush');
      const { placed } = await write(denial, ours({ payload: undefined }), false, before);
      expect(placed).to.have.nested.property('failure.reason', 'SecretNotWritten');
      expect(JSON.stringify(placed)).to.not.contain('hush');
    });

  it('and refused with more words than anybody reads: the first count', async () => {
    const { placed } = await write(
      refuse(403, `admission webhook "w.test" denied the request: ${'no '.repeat(999)}`),
    );
    expect(JSON.stringify(placed).length).to.be.lessThan(800);
  });

  it('and refused by a quota: says which', async () => {
    const quota =
      'exceeded quota: q, requested: count/secrets=1, used: count/secrets=9, limited: count/secrets=9';
    const { placed } = await write(refuse(403, `secrets "app" is forbidden: ${quota}`));
    expect(placed).to.have.nested.property('failure.message').that.includes(quota);
  });

  for (const code of [403, 422])
    it(`and refused by the API server with ${code}: that is told, and tried again`, async () => {
      const { placed } = await write(refuse(code, 'no'));
      expect(placed).to.have.nested.property('failure.reason', 'SecretNotWritten');
      expect(placed).to.have.nested.property('failure.retryable', true);
      expect(placed).to.deep.include({ secret: ours() });
    });

  it('and refused because its namespace is being deleted: says so', async () => {
    const { placed } = await write(refuse(403, 'no', { causes: [{ reason: 'NamespaceTerminating' }] }));
    expect(placed).to.have.nested.property('failure.reason', 'NamespaceTerminating');
  });

  for (const [code, what] of [
    [409, 'has changed meanwhile'],
    [500, 'can not be written at the moment'],
  ] as const)
    it(`that ${what}: is thrown`, async () => {
      expect((await write(refuse(code, 'no'))).placed).to.have.property('status', code);
    });
});

import { expect } from 'chai';
import { parse } from 'yaml';
import { registerSecret } from '../../support/secrecy.ts';
import { CliStage, forbidden, listOf, type Answers } from './support/cli-stage.ts';
import { readyToken } from './support/objects.ts';

const PASSWORD = 'a-password-made-by-hand';
registerSecret(PASSWORD);
const BASE = '/api/v1/namespaces/team-a';
const TOKENS = '/apis/pullsecrets.dev/v1alpha1/namespaces/team-a/registrytokens';
const ACCOUNTS = '/apis/pullsecrets.dev/v1alpha1/registryaccounts';

const metaOf = (name: string, part: object = {}) => ({
  name,
  namespace: 'team-a',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...part,
});
const secretOf = (auths: object, part: object = {}) => ({
  metadata: metaOf('app-pull', part),
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
});
const accountOf = (name: string) => ({ metadata: metaOf(name), spec: { ibmCloud: {} } });
const ENTRY = { username: 'iamapikey', password: PASSWORD };

const stage = (part: Answers = {}): CliStage =>
  new CliStage({
    [`GET ${BASE}/secrets/app-pull`]: secretOf({ 'us.icr.io': ENTRY }),
    [`GET /api/v1/namespaces/team-a`]: { metadata: metaOf('team-a') },
    [`GET ${ACCOUNTS}`]: listOf(accountOf('default')),
    [`GET ${TOKENS}`]: listOf(),
    [`GET ${BASE}/serviceaccounts`]: listOf(
      { metadata: metaOf('default'), imagePullSecrets: [{ name: 'app-pull' }] },
      { metadata: metaOf('other') },
    ),
    [`POST ${TOKENS}`]: readyToken(),
    [`GET ${TOKENS}/app-pull`]: readyToken(),
    ...part,
  });

describe('kubectl registrytoken adopt', () => {
  it('with --dry-run prints the RegistryToken and writes nothing', async () => {
    const cli = stage();
    const { exit, out, err } = await cli.run([
      'adopt',
      'app-pull',
      '--scope',
      'team-a',
      '--dry-run',
      '-o',
      'yaml',
    ]);
    expect({ exit, err }).to.deep.equal({ exit: 0, err: '' });
    expect(parse(out)).to.deep.equal({
      apiVersion: 'pullsecrets.dev/v1alpha1',
      kind: 'RegistryToken',
      metadata: { name: 'app-pull', namespace: 'team-a' },
      spec: {
        accountRef: { name: 'default' },
        region: 'us-south',
        scope: ['team-a'],
        access: 'ReadOnly',
        secret: { adopt: true },
        serviceAccounts: ['default'],
      },
    });
    expect(cli.calls.filter(({ method }) => method !== 'GET')).to.deep.equal([]);
  });

  it('creates it, waits until it is Ready, and reminds of the credential that was there', async () => {
    const cli = stage();
    const { exit, out, err } = await cli.run(['adopt', 'app-pull', '--wait']);
    expect(exit).to.equal(0);
    expect(out).to.equal(
      'registrytoken.pullsecrets.dev/app-pull created\nregistrytoken.pullsecrets.dev/app-pull ready\n',
    );
    expect(err).to.match(/^The credential that was in the Secret stays valid/);
    const post = cli.calls.find(({ method }) => method === 'POST');
    expect(post?.body).to.have.nested.property('spec.secret.adopt', true);
  });

  it('reads the account that is named, and no other', async () => {
    const cli = stage({ [`GET ${ACCOUNTS}/second`]: accountOf('second') });
    const { out } = await cli.run(['adopt', 'app-pull', '--account', 'second', '--dry-run', '-o', 'json']);
    expect(JSON.parse(out)).to.have.nested.property('spec.accountRef.name', 'second');
    expect(cli.calls.map(({ path }) => path)).to.not.include(ACCOUNTS);
  });

  it('says all that is in the way at once, as plain text, and writes nothing', async () => {
    const owner = { apiVersion: 'x/v1', kind: 'Robot', name: '\u001b[31mred', uid: 'x', controller: true };
    const cli = stage({
      [`GET ${BASE}/secrets/app-pull`]: secretOf({ 'not a host': ENTRY }, { ownerReferences: [owner] }),
    });
    const { exit, out, err } = await cli.run(['adopt', 'app-pull']);
    expect({ exit, out }).to.deep.equal({ exit: 1, out: '' });
    expect(err).to.equal(
      `error: Secret app-pull can't be adopted:\n- it belongs to Robot  [31mred: set the deletionPolicy of that to Retain if it has one, then delete it with --cascade=orphan\n- it names "not a host", which is no host of a registry: take that out, since it would be lost\n`,
    );
    expect(cli.calls.filter(({ method }) => method !== 'GET')).to.deep.equal([]);
  });

  it('warns of whoever writes the Secret too', async () => {
    const annotations = { 'meta.helm.sh/release-name': 'web' };
    const cli = stage({
      [`GET ${BASE}/secrets/app-pull`]: secretOf({ 'us.icr.io': ENTRY }, { annotations }),
    });
    const { exit, err } = await cli.run(['adopt', 'app-pull', '--dry-run']);
    expect(exit).to.equal(0);
    expect(err).to.match(/^warning: Helm \(web\) writes it too/);
  });

  it('says which right is missing', async () => {
    const cli = stage({
      [`GET ${ACCOUNTS}`]: forbidden('list', ACCOUNTS, 'registryaccounts.pullsecrets.dev'),
    });
    const { exit, err } = await cli.run(['adopt', 'app-pull']);
    expect(exit).to.equal(1);
    expect(err).to.match(/^error: you may not list registryaccounts\.pullsecrets\.dev in the whole cluster/);
  });
});

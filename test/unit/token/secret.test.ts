import { expect } from 'chai';
import { CHECKSUM_ANNOTATION } from '../../../src/api/names.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import {
  alterations,
  belongsTo,
  checksum,
  dockerConfig,
  isUntied,
  lastEditor,
  readCredential,
  secretManifest,
} from '../../../src/token/secret/secret.ts';
import { aCredential, anIssuedToken, aSecret, aTokenSpec, at, HOST, MINUTE } from '../../support/builders.ts';

const token = anIssuedToken();
const { uid } = token.metadata;
const content = (spec = aTokenSpec()) => ({ token, spec, host: HOST, credential: aCredential() });
const payloadOf = (manifest: { data: Record<string, string> }): string =>
  Buffer.from(manifest.data['.dockerconfigjson'] ?? '', 'base64').toString();

describe('a docker configuration', () => {
  const credential = aCredential({ username: 'token', value: new Redacted('a:b"ü') });

  it('has one entry per host, with user name, password and both together', () => {
    const entry = {
      username: 'token',
      password: 'a:b"ü',
      auth: Buffer.from('token:a:b"ü').toString('base64'),
    };
    expect(JSON.parse(dockerConfig([HOST, 'localhost:5000'], credential))).to.deep.equal({
      auths: { [HOST]: entry, 'localhost:5000': entry },
    });
  });
  it('names a host once', () => {
    const { auths } = JSON.parse(dockerConfig([HOST, HOST], credential)) as { auths: object };
    expect(Object.keys(auths)).to.deep.equal([HOST]);
  });
});

describe('the Secret to apply', () => {
  it('points at the host of the region and says whose it is and what it holds', () => {
    const manifest = secretManifest(content());
    const payload = payloadOf(manifest);
    expect(manifest).to.deep.equal({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'app',
        namespace: 'team',
        labels: {
          'app.kubernetes.io/managed-by': 'registry-token-operator',
          'pullsecrets.dev/registrytoken-uid': uid,
        },
        annotations: {
          'pullsecrets.dev/registrytoken': 'app',
          'pullsecrets.dev/token-id': 'token-1',
          'pullsecrets.dev/checksum': checksum(payload),
        },
        ownerReferences: [
          {
            apiVersion: 'pullsecrets.dev/v1alpha1',
            kind: 'RegistryToken',
            name: 'app',
            uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(payload).toString('base64') },
    });
    expect(payload).to.equal(dockerConfig([HOST], aCredential()));
  });

  it('has the further hosts, name, labels and annotations of the spec', () => {
    const secret = {
      ...aTokenSpec().secret,
      name: 'pull',
      extraHosts: ['mirror.example.com'],
      labels: { team: 'red', constructor: 'odd' },
      annotations: { note: 'hello' },
    };
    const manifest = secretManifest(content({ ...aTokenSpec(), secret }));
    expect(manifest.metadata.name).to.equal('pull');
    expect(manifest.metadata.labels).to.include(secret.labels);
    expect(manifest.metadata.annotations).to.include(secret.annotations);
    expect(payloadOf(manifest)).to.equal(dockerConfig([HOST, 'mirror.example.com'], aCredential()));
  });

  it("keeps the operator's own labels and annotations, whatever the spec says", () => {
    const theirs = {
      labels: { 'app.kubernetes.io/managed-by': 'me', 'pullsecrets.dev/registrytoken-uid': 'mine' },
      annotations: {
        'pullsecrets.dev/registrytoken': 'mine',
        'pullsecrets.dev/token-id': 'mine',
        'pullsecrets.dev/checksum': 'mine',
      },
    };
    const { labels, annotations } = secretManifest(content(aTokenSpec({ secret: theirs }))).metadata;
    expect({ labels, annotations }).to.deep.equal({
      labels: secretManifest(content()).metadata.labels,
      annotations: secretManifest(content()).metadata.annotations,
    });
  });

  it('is not owned by the RegistryToken, and so not collected with it, where that is retained', () => {
    const { metadata } = secretManifest(content(aTokenSpec({ deletionPolicy: 'Retain' })));
    expect(metadata).to.not.have.property('ownerReferences');
  });
});

describe('whose a Secret is', () => {
  const { metadata } = aSecret();
  const other = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'other', controller: true };

  const rows: [string, typeof metadata, boolean][] = [
    ['ours by its controller', metadata, true],
    ['ours by its controller, whatever its labels', { ...metadata, labels: {} }, true],
    ['ours by its label, where it has no controller', { ...metadata, ownerReferences: [] }, true],
    [
      "ours by its label, beside owners that don't control it",
      { ...metadata, ownerReferences: [{ ...other, controller: false }] },
      true,
    ],
    ["another controller's, whatever its label", { ...metadata, ownerReferences: [other] }, false],
    ["nobody's", { ...metadata, ownerReferences: [], labels: {} }, false],
  ];
  for (const [name, each, expected] of rows) {
    it(name, () => expect(belongsTo({ metadata: each }, uid)).to.equal(expected));
  }
});

it('a Secret outlives its RegistryToken when it bears its uid and is not owned by it', () => {
  const spec = { deletionPolicy: 'Retain' } as const;
  expect(isUntied(aSecret(), uid)).to.equal(false);
  expect(isUntied(aSecret({}, { token: { ...token, spec } }), uid)).to.equal(true);
  expect(isUntied(aSecret({}, { token: { ...token, spec } }), 'another')).to.equal(false);
});

const entry = (manager: string | undefined, minutes?: number) => ({
  ...(manager === undefined ? {} : { manager }),
  ...(minutes === undefined ? {} : { time: at(minutes * MINUTE) }),
});

describe('who changed an object last', () => {
  const rows: [string, Parameters<typeof lastEditor>[0], string | undefined][] = [
    ['nobody, where nothing is known', undefined, undefined],
    ['nobody else, where it was us', [entry('registry-token-operator', 9)], undefined],
    ['the last one beside us', [entry('b', 2), entry('registry-token-operator', 9), entry('a', 1)], 'b'],
    ['one without a time only if there is no other', [entry('a', 1), entry('b')], 'a'],
    ['nobody, where no name is given', [entry(undefined, 1)], undefined],
  ];
  for (const [name, managedFields, editor] of rows) {
    it(name, () => expect(lastEditor(managedFields)).to.equal(editor));
  }
});

describe('the credential of a docker configuration', () => {
  const HOSTS = [HOST, 'mirror.test:5000'];
  const read = (payload: string) => readCredential(new Redacted(payload), 'token-1');

  it('is what was written', () => {
    const value = new Redacted('a:b"ü');
    const credential = read(dockerConfig(HOSTS, aCredential({ value })));
    expect(credential).to.include({ tokenId: 'token-1', username: 'token' });
    expect(credential?.value.reveal()).to.equal('a:b"ü');
  });
  for (const [what, payload] of [
    ['that is none', '{'],
    ['without hosts', '{"auths":{}}'],
    ['without auths', '{}'],
    ['with auth alone', '{"auths":{"a":{"auth":"Zm9vOmJhcg=="}}}'],
    [
      'whose hosts have different ones',
      '{"auths":{"a":{"username":"u","password":"p"},"b":{"username":"u","password":"q"}}}',
    ],
  ] as const)
    it(`is not to be had from one ${what}`, () => expect(read(payload)).to.equal(undefined));
});

describe('a Secret that was stored', () => {
  const sent = secretManifest(content());
  const rows: [string, Parameters<typeof aSecret>[0], string[]][] = [
    ['as it was sent is not altered', {}, []],
    [
      'with labels and annotations of others is not altered',
      { metadata: { labels: { team: 'a' }, annotations: { seen: 'yes' } } },
      [],
    ],
    ['with another payload is', { data: { '.dockerconfigjson': 'e30=' } }, ['.dockerconfigjson']],
    ['without payload is', { data: undefined }, ['.dockerconfigjson']],
    ['with another type is', { type: 'Opaque' }, ['type']],
    [
      'that names another token is',
      { metadata: { annotations: { 'pullsecrets.dev/token-id': 'token-9' } } },
      ['annotation pullsecrets.dev/token-id'],
    ],
    [
      'with another checksum is',
      { metadata: { annotations: { [CHECKSUM_ANNOTATION]: 'none' } } },
      [`annotation ${CHECKSUM_ANNOTATION}`],
    ],
  ];
  for (const [what, part, expected] of rows)
    it(what, () => expect(alterations(sent, aSecret(part))).to.deep.equal(expected));
});

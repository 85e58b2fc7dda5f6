import { expect } from 'chai';
import { readTokenSpec, type RegistryToken } from '../../../src/api/registry-token.ts';
import type { Others } from '../../../src/token/secret/claimants.ts';
import type { Secret } from '../../../src/token/secret/secret.ts';
import { viewSecret, type SecretView } from '../../../src/token/secret/secret-view.ts';
import { anIssuedToken, aSecret, aToken, at, HOST, type Part } from '../../support/builders.ts';

const OWN = anIssuedToken();
const FORMER = anIssuedToken({ metadata: { uid: 'former' }, spec: { deletionPolicy: 'Retain' } });
const another = (part: Part<RegistryToken> = {}): RegistryToken =>
  aToken({ ...part, metadata: { uid: 'another', name: 'another', ...part.metadata } });
const VERSION = aSecret().metadata.resourceVersion;
const APPLIED = [
  {
    manager: 'registry-token-operator',
    operation: 'Apply',
    fieldsV1: { 'f:data': { 'f:.dockerconfigjson': {} } },
  },
];
const knowing = (...tokens: RegistryToken[]): Others => ({
  complete: true,
  find: (uid) => tokens.find(({ metadata }) => metadata.uid === uid),
  younger: tokens.filter(({ spec }) => spec.secret?.name === 'app'),
});

function view(secret: Secret, others?: Others, spec: Part<RegistryToken['spec']> = {}): SecretView {
  const token = anIssuedToken({ spec });
  return viewSecret(secret, token, readTokenSpec(token), [HOST], others);
}
const takeoverOf = (...args: Parameters<typeof view>): unknown => {
  const seen = view(...args);
  return seen.state === 'ours' ? seen.takeover : seen;
};
const hindranceOf = (...args: Parameters<typeof view>): string => {
  const seen = view(...args);
  return seen.state === 'foreign' ? seen.message : seen.state;
};

describe('a Secret that another RegistryToken has', () => {
  const younger = another({ spec: { secret: { name: 'app' } } });
  const renamed = another({ spec: { secret: { name: 'elsewhere' } } });
  const written = (token: RegistryToken) =>
    aSecret({ metadata: { name: 'app', managedFields: APPLIED } }, { token });

  it('is taken over where that is younger and wants it too', () => {
    expect(takeoverOf(written(younger), knowing(younger))).to.deep.equal({
      from: 'Younger',
      message: 'Secret app, of the younger RegistryToken another, is taken over',
      tokenId: 'token-1',
    });
  });
  it('is taken over where that wants another by now', () => {
    expect(takeoverOf(written(renamed), knowing(renamed))).to.deep.equal({
      from: 'GivenUp',
      message: 'Secret app, which RegistryToken another no longer wants, is taken over',
      tokenId: 'token-1',
    });
  });
  it('is not as wanted until it is written', () => {
    const seen = view(written(renamed), knowing(renamed));
    expect(seen).to.include({ current: false, holds: 'token-1', version: VERSION });
  });
  const left: [what: string, secret: Secret, token: RegistryToken][] = [
    ['which is older', written(younger), another({ spec: { secret: { name: 'app' } } })],
    [
      'which is being deleted',
      written(renamed),
      { ...renamed, metadata: { ...renamed.metadata, deletionTimestamp: at(0) } },
    ],
    [
      'in another namespace, of which it is a copy',
      written(renamed),
      { ...renamed, metadata: { ...renamed.metadata, namespace: 'elsewhere' } },
    ],
    ['of which somebody made a copy', aSecret({ metadata: { name: 'app' } }, { token: renamed }), renamed],
  ];
  for (const [what, secret, token] of left)
    it(`${what}, is left alone`, () => {
      const others = { ...knowing(token), younger: [] };
      expect(hindranceOf(secret, others)).to.match(/belongs to RegistryToken another; it is left alone/);
    });
});

describe('a Secret that a RegistryToken left which is gone', () => {
  const secret = (part: Part<Secret> = {}) => aSecret(part, { token: FORMER });

  it('is not taken over where some namespaces are not watched: its RegistryToken may be in one of them', () => {
    const others = { ...knowing(), complete: false };
    expect(hindranceOf(secret(), others)).to.match(
      /was not made for this RegistryToken.*spec\.secret\.adopt/,
    );
    expect(takeoverOf(secret(), others, { secret: { adopt: true } })).to.include({ from: 'Adopted' });
  });
  it('is taken over by the one of its name', () => {
    expect(takeoverOf(secret())).to.deep.equal({
      from: 'Left',
      message: 'Secret app, which an earlier RegistryToken app left, is taken over',
      tokenId: 'token-1',
      leftBy: 'app',
    });
  });
  it('is taken over whatever else was restored with it', () => {
    const managedFields = [{ manager: 'velero-server', operation: 'Update', fieldsV1: { 'f:data': {} } }];
    expect(takeoverOf(secret({ metadata: { managedFields } }))).to.include({ from: 'Left' });
  });
  it('is taken over also for a younger one that wants it, which gives way', () => {
    const heir = another({ metadata: { name: 'app', uid: 'heir' }, spec: { secret: { name: 'app' } } });
    const token = anIssuedToken({ metadata: { name: 'elder' } });
    const seen = viewSecret(secret(), token, readTokenSpec(token), [HOST], knowing(heir));
    expect(seen).to.have.nested.property('takeover.from', 'Left');
  });
  it('is still held by the token that the status was restored with', () => {
    expect(view(secret())).to.include({ holds: OWN.status?.token?.id, current: false });
  });

  const foreign: [what: string, secret: Secret, others?: Others][] = [
    [
      'that had another name',
      secret({ metadata: { annotations: { 'pullsecrets.dev/registrytoken': 'x' } } }),
    ],
    [
      'that nobody names',
      secret({ metadata: { annotations: { 'pullsecrets.dev/registrytoken': undefined } } }),
    ],
    [
      'where the operator does not manage it',
      secret({ metadata: { labels: { 'app.kubernetes.io/managed-by': 'me' } } }),
    ],
    [
      'where no uid tells',
      secret({ metadata: { labels: { 'pullsecrets.dev/registrytoken-uid': undefined } } }),
    ],
    [
      'in this namespace but lives in another, of which it is a copy',
      secret(),
      knowing({ ...FORMER, metadata: { ...FORMER.metadata, namespace: 'elsewhere' } }),
    ],
    [
      'whose owner reference is still there: it is about to be collected',
      secret({
        metadata: {
          ownerReferences: [
            { apiVersion: 'v1', kind: 'RegistryToken', name: 'app', uid: 'former', controller: true },
          ],
        },
      }),
    ],
  ];
  for (const [what, ...args] of foreign)
    it(`${what}, is left alone`, () => expect(hindranceOf(...args)).to.match(/it is left alone/));

  it('of another type is left alone', () => {
    expect(hindranceOf(secret({ type: 'Opaque' }))).to.match(/has the type Opaque/);
  });
});

describe('a Secret to adopt', () => {
  const ADOPT = { secret: { adopt: true } };
  const handMade = (auths: object, part: Part<Secret> = {}): Secret => {
    const { metadata } = aSecret();
    const { name, uid, resourceVersion, creationTimestamp } = metadata;
    const config = JSON.stringify({ auths });
    return {
      metadata: { name, uid, resourceVersion, creationTimestamp },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
      ...part,
    } as Secret;
  };
  const LOGIN = { auth: 'Zm9vOmJhcg==' };
  const adopt = (secret: Secret, spec: Part<RegistryToken['spec']> = ADOPT) =>
    takeoverOf(secret, undefined, spec);

  it('is taken over', () => {
    expect(adopt(handMade({ [HOST]: LOGIN }))).to.deep.equal({
      from: 'Adopted',
      message: 'Secret app, which was not made for this RegistryToken, is taken over',
      tokenId: undefined,
    });
  });
  it('holds none of our tokens, and is not as wanted', () => {
    expect(view(handMade({ [HOST]: LOGIN }), undefined, ADOPT)).to.include({
      holds: undefined,
      current: false,
    });
  });
  for (const host of [`https://${HOST}`, `https://${HOST}/v1/`, `https://${HOST.toUpperCase()}/v2/`])
    it(`may name the host as ${host}`, () =>
      expect(adopt(handMade({ [host]: LOGIN }))).to.include({ from: 'Adopted' }));
  it('may hold credentials for extra hosts, and for none', () => {
    const spec = { secret: { adopt: true, extraHosts: ['mirror.test'] } };
    expect(adopt(handMade({ [HOST]: LOGIN, 'mirror.test': LOGIN }), spec)).to.include({ from: 'Adopted' });
    expect(adopt(handMade({}))).to.include({ from: 'Adopted' });
  });
  it('can be a copy of a RegistryToken’s elsewhere', () => {
    const elsewhere = another({ metadata: { namespace: 'elsewhere' } });
    const copy = aSecret({ metadata: { ownerReferences: [] } }, { token: elsewhere });
    expect(takeoverOf(copy, knowing(elsewhere), ADOPT)).to.include({ from: 'Adopted' });
  });

  const refused: [what: string, secret: Secret, message: RegExp][] = [
    [
      'with credentials for another registry',
      handMade({ [HOST]: LOGIN, 'quay.io': LOGIN }),
      /not adopted, since it holds credentials for "quay.io" too, and this RegistryToken's hosts are us.icr.io/,
    ],
    [
      'with credentials for many others',
      handMade(Object.fromEntries('abcdefgh'.split('').map((each) => [`${each}.test`, LOGIN]))),
      /for "a.test", "b.test", "c.test" and others too/,
    ],
    ['with a host of any length', handMade({ ['h'.repeat(5_000)]: LOGIN }), /^.{1,400}$/],
    [
      'that is no docker configuration',
      handMade({}, { data: { '.dockerconfigjson': 'e30=' } }),
      /holds no docker configuration/,
    ],
    ['that is no JSON', handMade({}, { data: {} }), /holds no docker configuration/],
    ['of another type', handMade({}, { type: 'Opaque' }), /has the type Opaque/],
    [
      'that something controls',
      aSecret({
        metadata: {
          ownerReferences: [
            { apiVersion: 'v1', kind: 'ExternalSecret', name: 'es', uid: 'es', controller: true },
          ],
        },
      }),
      /belongs to ExternalSecret es/,
    ],
  ];
  for (const [what, secret, message] of refused)
    it(`${what} is left alone`, () => expect(hindranceOf(secret, undefined, ADOPT)).to.match(message));

  it('is left alone where it belongs to another RegistryToken here', () => {
    const other = another({ spec: { secret: { name: 'app' } } });
    const secret = aSecret({ metadata: { ownerReferences: [] } }, { token: other });
    expect(hindranceOf(secret, { ...knowing(other), younger: [] }, ADOPT)).to.match(
      /belongs to RegistryToken another/,
    );
  });
  it('is left alone where that is not asked for, which the message tells', () => {
    expect(hindranceOf(handMade({ [HOST]: LOGIN }))).to.match(/or set spec.secret.adopt to true$/);
    expect(hindranceOf(handMade({}, { type: 'Opaque' }))).to.not.match(/adopt/);
  });
});

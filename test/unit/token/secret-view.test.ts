import { expect } from 'chai';
import * as fc from 'fast-check';
import { readTokenSpec, type RegistryToken } from '../../../src/api/registry-token.ts';
import { OPERATOR } from '../../../src/api/names.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import { checksum, type Secret } from '../../../src/token/secret/secret.ts';
import { viewSecret, type SecretView } from '../../../src/token/secret/secret-view.ts';
import { aCredential, anIssuedToken, aSecret, at, HOST, ours, type Part } from '../../support/builders.ts';

function view(
  secret: Secret | undefined,
  spec: Part<RegistryToken['spec']> = {},
  { host = HOST } = {},
): SecretView {
  const token = anIssuedToken({ spec });
  return viewSecret(secret, token, readTokenSpec(token), [host]);
}

/** A Secret written for the same RegistryToken with another spec. */
const writtenFor = (spec: Part<RegistryToken['spec']>) => aSecret({}, { token: anIssuedToken({ spec }) });
const annotated = (annotations: Record<string, string | undefined>) => aSecret({ metadata: { annotations } });
const withPayload = (payload: string, part: Part<Secret> = {}) =>
  aSecret({ ...part, data: { '.dockerconfigjson': Buffer.from(payload).toString('base64') } });
/** A payload that somebody wrote together with the checksum that fits. */
const forged = (payload: string) =>
  withPayload(payload, { metadata: { annotations: { 'pullsecrets.dev/checksum': checksum(payload) } } });

const controller = (kind: string, name: string, uid: string) => [
  { apiVersion: 'v1', kind, name, uid, controller: true },
];

const label = (key: string, value: string | undefined) => aSecret({ metadata: { labels: { [key]: value } } });

describe('a look at the Secret', () => {
  it('finds it as it was written', () => expect(view(aSecret())).to.deep.equal(ours()));
  it('finds nothing where there is none', () => expect(view(undefined)).to.deep.equal({ state: 'absent' }));

  describe('finds it foreign', () => {
    const unowned = { ownerReferences: [], labels: { 'pullsecrets.dev/registrytoken-uid': undefined } };
    const rows: [string, Secret, string][] = [
      [
        'where nobody says that it is ours',
        aSecret({ metadata: unowned }),
        'Secret app exists and was not made for this RegistryToken; it is left alone: delete it, choose another spec.secret.name, or set spec.secret.adopt to true',
      ],
      [
        'where somebody else controls it',
        aSecret({ metadata: { ownerReferences: controller('SealedSecret', 'sealed', 'x') } }),
        'Secret app exists and belongs to SealedSecret sealed; it is left alone: delete it, or choose another spec.secret.name',
      ],
      [
        'where an older RegistryToken controls it',
        aSecret({ metadata: { ownerReferences: controller('RegistryToken', 'elder', 'x') } }),
        'Secret app exists and belongs to RegistryToken elder; it is left alone: delete it, or choose another spec.secret.name',
      ],
      [
        'where its type, which is fixed, is another',
        aSecret({ type: 'Opaque' }),
        "Secret app has the type Opaque, which can't be changed; delete it, or choose another spec.secret.name",
      ],
      [
        'where its type is the default',
        aSecret({ type: undefined }),
        "Secret app has the type Opaque, which can't be changed; delete it, or choose another spec.secret.name",
      ],
    ];
    for (const [name, secret, message] of rows) {
      it(name, () => expect(view(secret)).to.deep.equal({ state: 'foreign', message }));
    }
  });

  describe('finds it ours', () => {
    it('by its label, where it outlives its owner', () => {
      const spec = { deletionPolicy: 'Retain' as const };
      expect(view(writtenFor(spec), spec)).to.deep.equal(ours());
    });
    it('but locked, where it is immutable', () => {
      expect(view(aSecret({ immutable: true }))).to.deep.equal(ours({ locked: true }));
    });
    describe('by labels and annotations', () => {
      const applied = (key: 'f:labels' | 'f:annotations', name: string, manager = OPERATOR) => {
        const fieldsV1 = { 'f:metadata': { [key]: { '.': {}, [`f:${name}`]: {} } } };
        return aSecret({ metadata: { managedFields: [{ manager, operation: 'Apply', fieldsV1 }] } });
      };
      it('of its own that are no longer wanted', () => {
        expect(view(applied('f:labels', 'tier'))).to.deep.equal(ours({ current: false }));
        expect(view(applied('f:annotations', 'replicate'))).to.deep.equal(ours({ current: false }));
      });
      it('but not by those of others, nor by what it wants', () => {
        expect(view(applied('f:labels', 'tier', 'kubectl'))).to.include({ current: true });
        expect(view(applied('f:labels', 'app.kubernetes.io/managed-by'))).to.include({ current: true });
        expect(view(applied('f:labels', 'tier'), { secret: { labels: { tier: 'web' } } })).to.include({
          current: false,
        });
      });
    });

    it('and knows who else changed it last', () => {
      const managedFields = [{ manager: 'kubectl-edit', time: at(0) }];
      expect(view(aSecret({ metadata: { managedFields } }))).to.deep.equal(ours({ editor: 'kubectl-edit' }));
    });
  });

  describe('finds that it no longer holds what was written', () => {
    const rows: [string, Secret][] = [
      ['where the payload was changed', withPayload('{"auths":{}}')],
      ['where the payload is empty', aSecret({ data: { '.dockerconfigjson': undefined } })],
      ['where there is no data', aSecret({ data: undefined })],
      ['where the payload is no base64', aSecret({ data: { '.dockerconfigjson': '%%%' } })],
      ['where the checksum was changed', annotated({ 'pullsecrets.dev/checksum': 'x' })],
      ['where the checksum was removed', annotated({ 'pullsecrets.dev/checksum': undefined })],
      ['where the identifier was removed', annotated({ 'pullsecrets.dev/token-id': undefined })],
    ];
    for (const [name, secret] of rows) {
      it(name, () => expect(view(secret)).to.deep.include({ state: 'ours', holds: undefined }));
    }
    it('where it says that it holds another token', () => {
      expect(view(annotated({ 'pullsecrets.dev/token-id': 'token-9' }))).to.have.property('holds', 'token-9');
    });
  });

  describe('finds that it holds the token, but not all as wanted', () => {
    const rows: [string, Secret, Part<RegistryToken['spec']>][] = [
      [
        'where the label that tells who manages it was changed',
        label('app.kubernetes.io/managed-by', 'me'),
        {},
      ],
      [
        'where the label that tells whose it is was removed',
        label('pullsecrets.dev/registrytoken-uid', undefined),
        {},
      ],
      ['where the name of its owner was changed', annotated({ 'pullsecrets.dev/registrytoken': 'x' }), {}],
      ['where a label is new in the spec', aSecret(), { secret: { labels: { team: 'red' } } }],
      ['where a label was changed', label('team', 'blue'), { secret: { labels: { team: 'red' } } }],
      ['where an annotation is new in the spec', aSecret(), { secret: { annotations: { note: 'x' } } }],
      ['where it is to outlive its owner from now on', aSecret(), { deletionPolicy: 'Retain' }],
      ['where it is no longer to outlive its owner', writtenFor({ deletionPolicy: 'Retain' }), {}],
    ];
    const otherHosts: [string, Secret, Part<RegistryToken['spec']>][] = [
      ['where a host is new in the spec', aSecret(), { secret: { extraHosts: ['mirror.io'] } }],
      ['where a host is gone from the spec', writtenFor({ secret: { extraHosts: ['mirror.io'] } }), {}],
    ];
    const forgeries: [string, Secret][] = [
      ['where the payload was forged with its checksum', forged('null')],
      ['where the forged payload has no hosts', forged('{}')],
      ['where the forged payload is no JSON', forged('{')],
    ];
    for (const [name, secret] of forgeries) {
      it(name, () => expect(view(secret)).to.deep.equal(ours({ current: false, host: undefined })));
    }
    for (const [name, secret, spec] of otherHosts) {
      it(name, () => expect(view(secret, spec)).to.deep.equal(ours({ current: false, host: HOST })));
    }
    for (const [name, secret, spec] of rows) {
      it(name, () => expect(view(secret, spec)).to.deep.equal(ours({ current: false })));
    }
    it("where the region's host has changed", () => {
      expect(view(aSecret(), {}, { host: 'icr.example.com' })).to.deep.equal(
        ours({ current: false, host: undefined }),
      );
    });
  });

  it('does not mind labels, annotations and owners that others added', () => {
    const secret = aSecret({
      metadata: {
        labels: { theirs: 'x' },
        annotations: { theirs: 'x' },
        ownerReferences: [
          ...(aSecret().metadata.ownerReferences ?? []),
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' },
        ],
      },
    });
    expect(view(secret)).to.deep.equal(ours());
  });

  it('does not mind in which order hosts stand, nor one that stands twice', () => {
    const written = writtenFor({ secret: { extraHosts: ['b.io', 'a.io'] } });
    expect(view(written, { secret: { extraHosts: ['a.io', HOST, 'b.io', 'a.io'] } })).to.deep.equal(ours());
  });

  it('shows no part of the payload', () => {
    expect(JSON.stringify(view(aSecret()))).to.not.contain(aCredential().value.reveal());
  });

  it('finds every Secret ours and as wanted right after it was written', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    const marks = fc.dictionary(
      name.map((text) => `example.com/${text}`),
      name,
    );
    const specs = fc.record({
      secret: fc.record({
        name,
        extraHosts: fc.uniqueArray(name.map((text) => `${text}.example.com:5000`)),
        labels: marks,
        annotations: marks,
      }),
      deletionPolicy: fc.constantFrom('Delete' as const, 'Retain' as const),
    });
    fc.assert(
      fc.property(specs, fc.string({ unit: 'grapheme' }), fc.string(), (spec, value, tokenId) => {
        const credential = aCredential({ tokenId, value: new Redacted(value) });
        const token = { ...anIssuedToken(), spec };
        const secret = aSecret({}, { token, host: HOST, credential });
        expect(viewSecret(secret, token, readTokenSpec(token), [HOST])).to.deep.equal(
          ours({ holds: tokenId }),
        );
      }),
    );
  });
});

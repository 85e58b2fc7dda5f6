import { expect } from 'chai';
import { InvalidSpec, readTokenSpec } from '../../../src/api/registry-token.ts';
import { aToken, HOUR, MINUTE, SECOND } from '../../support/builders.ts';

const secret = (part: object) => ({ secret: part });
const rotation = (part: object, lifetime = '24h') => ({ lifetime, rotation: part });
const read = (spec: object) => readTokenSpec(aToken({ spec }));

describe("a RegistryToken's spec", () => {
  it('is complete when it is empty', () => {
    expect(read({})).to.deep.equal({
      account: 'default',
      region: undefined,
      access: 'ReadOnly',
      scope: [],
      lifetime: undefined,
      description: '',
      rotation: { policy: 'Auto', renewBefore: undefined, rotateEvery: undefined, gracePeriod: undefined },
      secret: {
        name: 'app',
        adopt: false,
        extraHosts: [],
        labels: {},
        annotations: {},
      },
      serviceAccounts: [],
      suspend: false,
      deletionPolicy: 'Delete',
    });
  });

  it('is read as it is written when it is full', () => {
    const spec = {
      accountRef: { name: 'prod' },
      region: 'eu-de',
      access: 'ReadWrite',
      scope: ['team-b', 'team-a/tools', 'team-b'],
      lifetime: '12h',
      description: 'for the build',
      rotation: { policy: 'Manual', renewBefore: '1h', gracePeriod: '0s' },
      secret: {
        name: 'pull.app',
        adopt: false,
        extraHosts: ['de.icr.io', 'localhost:5000'],
        labels: { 'example.com/team': 'red' },
        annotations: { 'Example.com/Note': 'any text at all, [even this]\n' },
      },
      serviceAccounts: ['default'],
      suspend: true,
      deletionPolicy: 'Retain',
    };
    expect(read(spec)).to.deep.equal({
      account: 'prod',
      region: 'eu-de',
      access: 'ReadWrite',
      scope: ['team-a/tools', 'team-b'],
      lifetime: 12 * HOUR,
      description: 'for the build',
      rotation: { policy: 'Manual', renewBefore: HOUR, rotateEvery: undefined, gracePeriod: 0 },
      secret: spec.secret,
      serviceAccounts: ['default'],
      suspend: true,
      deletionPolicy: 'Retain',
    });
  });

  it('has the names of its scope each once, in order: the same token whichever way they are written', () => {
    const scopes = [
      ['b', 'a'],
      ['a', 'b'],
      ['a', 'b', 'a'],
    ].map((scope) => read({ scope }).scope);
    for (const scope of scopes) expect(scope).to.deep.equal(['a', 'b']);
  });

  it('has hosts as kubelet matches them, each once', () => {
    const extraHosts = ['https://US.icr.io/v2/', 'us.icr.io', '*.example.com', 'localhost:5000/'];
    expect(read(secret({ extraHosts })).secret.extraHosts).to.deep.equal([
      'us.icr.io',
      '*.example.com',
      'localhost:5000',
    ]);
  });

  describe('takes', () => {
    const rows: [string, object, object][] = [
      ['a lifetime without end', { lifetime: 'Never' }, { lifetime: 'Never' }],
      ['the shortest lifetime', { lifetime: '60s' }, { lifetime: MINUTE }],
      ['the longest lifetime', { lifetime: '876000h' }, { lifetime: 876_000 * HOUR }],
      ['names of any depth in its scope', { scope: ['a_b/c--d/e.f.0'] }, { scope: ['a_b/c--d/e.f.0'] }],
      ['a margin, whatever lifetime the registry has by default', { rotation: { renewBefore: '100h' } }, {}],
      ['a description of 128 characters, however wide', { description: '😀'.repeat(128) }, {}],
      [
        'a margin one second short of the lifetime',
        { lifetime: '2m', rotation: { renewBefore: '119s' } },
        {
          rotation: {
            policy: 'Auto',
            renewBefore: 119 * SECOND,
            rotateEvery: undefined,
            gracePeriod: undefined,
          },
        },
      ],
      [
        'a rotation every minute of a token without end',
        { lifetime: 'Never', rotation: { rotateEvery: '1m' } },
        { rotation: { policy: 'Auto', renewBefore: undefined, rotateEvery: MINUTE, gracePeriod: undefined } },
      ],
    ];
    for (const [name, spec, expected] of rows) {
      it(name, () => expect(read(spec)).to.deep.include(expected));
    }
  });

  describe('refuses', () => {
    const DURATION =
      'it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s; a day is 24h';
    const LIFETIME =
      'it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s, or Never; a day is 24h';
    const SCOPE = 'it takes names as they stand in images after the host, in lower case, such as team-a';
    const HOSTS =
      "it takes hosts of registries as in images' names, such as us.icr.io, registry:5000 or [fd00::1]:5000, or *.example.com for all hosts right below a domain";
    const DESCRIPTION = 'it takes at most 128 characters, without square brackets and line breaks';
    const rows: [string, object, string][] = [
      ['another access', { access: 'Admin' }, 'spec.access is "Admin"; it takes ReadOnly or ReadWrite'],
      ...[
        '',
        'Team',
        'team/',
        '/team',
        'a//b',
        '..',
        'a/../b',
        'team-*',
        'a,b',
        'a:b',
        'a@b',
        'a b',
        'é',
        'a\n',
      ].map((name): [string, object, string] => [
        `a scope of ${JSON.stringify(name)}`,
        { scope: ['ok', name] },
        `spec.scope holds ${JSON.stringify(name)}; ${SCOPE}`,
      ]),
      [
        'a name in its scope that is too long',
        { scope: ['a'.repeat(256)] },
        `spec.scope holds "${'a'.repeat(64)}"; ${SCOPE}`,
      ],
      [
        'more names in its scope than it takes',
        { scope: Array.from({ length: 65 }, (_, at) => `team-${at}`) },
        'spec.scope holds 65 names; it takes at most 64',
      ],
      ['an empty lifetime', { lifetime: '' }, `spec.lifetime is ""; ${LIFETIME}`],
      ['a lifetime in days', { lifetime: '30d' }, `spec.lifetime is "30d"; ${LIFETIME}`],
      ['never in lower case', { lifetime: 'never' }, `spec.lifetime is "never"; ${LIFETIME}`],
      ['a lifetime of nothing', { lifetime: '0s' }, 'spec.lifetime is "0s"; it takes at least 1m, or Never'],
      [
        'a lifetime under a minute',
        { lifetime: '59s' },
        'spec.lifetime is "59s"; it takes at least 1m, or Never',
      ],
      [
        'a lifetime of centuries',
        { lifetime: '876001h' },
        'spec.lifetime is "876001h"; it takes at most 876000h, which is 100 years',
      ],
      [
        'a number too large to count',
        { lifetime: `${'9'.repeat(99)}h` },
        `spec.lifetime is "${'9'.repeat(64)}"; ${LIFETIME}`,
      ],
      [
        'a description that looks like a tag',
        { description: '[pullsecrets.dev:a:b:1]' },
        `spec.description is ${JSON.stringify('[pullsecrets.dev:a:b:1]'.slice(0, 64))}; ${DESCRIPTION}`,
      ],
      [
        'a closing bracket alone',
        { description: 'a]' },
        `spec.description is ${JSON.stringify('a]'.slice(0, 64))}; ${DESCRIPTION}`,
      ],
      [
        'a description of two lines',
        { description: 'a\nb' },
        `spec.description is ${JSON.stringify('a\nb'.slice(0, 64))}; ${DESCRIPTION}`,
      ],
      [
        'a line break at the very end',
        { description: 'a\n' },
        `spec.description is ${JSON.stringify('a\n'.slice(0, 64))}; ${DESCRIPTION}`,
      ],
      [
        'a description that is too long',
        { description: 'a'.repeat(129) },
        `spec.description is ${JSON.stringify('a'.repeat(129).slice(0, 64))}; ${DESCRIPTION}`,
      ],
      ['a margin in days', rotation({ renewBefore: '1d' }), `spec.rotation.renewBefore is "1d"; ${DURATION}`],
      [
        'a margin for a token without end',
        rotation({ renewBefore: '1h' }, 'Never'),
        'spec.rotation.renewBefore needs a token that expires; with lifetime Never write rotation.rotateEvery, such as 720h, in its place',
      ],
      [
        'a margin as long as the lifetime',
        rotation({ renewBefore: '24h' }),
        'spec.rotation.renewBefore must be shorter than lifetime; leave it out for a third of lifetime',
      ],
      [
        'a schedule for a token that expires',
        rotation({ rotateEvery: '1h' }),
        'spec.rotation.rotateEvery is for lifetime Never; leave it out, for a token that expires is rotated before it does',
      ],
      [
        'a schedule where no lifetime is named',
        { rotation: { rotateEvery: '1h' } },
        'spec.rotation.rotateEvery is for lifetime Never; leave it out, for a token that expires is rotated before it does',
      ],
      [
        'a schedule of seconds',
        rotation({ rotateEvery: '59s' }, 'Never'),
        'spec.rotation.rotateEvery is "59s"; it takes at least 1m',
      ],
      [
        'a schedule in days',
        rotation({ rotateEvery: '30d' }, 'Never'),
        `spec.rotation.rotateEvery is "30d"; ${DURATION}`,
      ],
      [
        'a grace period in words',
        rotation({ gracePeriod: 'a day' }),
        `spec.rotation.gracePeriod is "a day"; ${DURATION}`,
      ],
      [
        'a grace period of centuries',
        rotation({ gracePeriod: '2400000000h' }),
        `spec.rotation.gracePeriod is "2400000000h"; ${DURATION}`,
      ],
      [
        'a grace period of more than 30 days',
        rotation({ gracePeriod: '100000h' }),
        'spec.rotation.gracePeriod is "100000h"; it takes at most 720h, which is 30 days',
      ],
      [
        'a Secret name that no Secret can have',
        secret({ name: 'a..b' }),
        'spec.secret.name is "a..b"; it takes the name of an object: lower case letters, digits and, between them, dashes and dots, such as app-pull',
      ],
      [
        'a host with a path',
        secret({ extraHosts: ['ok.io', 'https://us.icr.io/team'] }),
        `spec.secret.extraHosts holds "https://us.icr.io/team"; ${HOSTS}`,
      ],
      [
        'a pattern that leaves the domain open',
        secret({ extraHosts: ['*.io'] }),
        `spec.secret.extraHosts holds "*.io"; ${HOSTS}`,
      ],
      [
        'a word that names no host in an image',
        secret({ extraHosts: ['registry'] }),
        `spec.secret.extraHosts holds "registry"; ${HOSTS}`,
      ],
      ['an empty host', secret({ extraHosts: [''] }), `spec.secret.extraHosts holds ""; ${HOSTS}`],
      [
        'a label value that no label can have',
        secret({ labels: { team: 'the reds' } }),
        'spec.secret.labels holds "team=the reds", which can\'t be a label; write one such as team=a',
      ],
      [
        'a label key that no label can have',
        secret({ labels: { 'a b': 'c' } }),
        'spec.secret.labels holds "a b=c", which can\'t be a label; write one such as team=a',
      ],
      [
        'an annotation key that no annotation can have',
        secret({ annotations: { 'a/b/c': 'd' } }),
        'spec.secret.annotations holds "a/b/c", which can\'t be the key of an annotation; write one such as example.com/team',
      ],
    ];
    for (const [name, spec, message] of rows) {
      it(name, () =>
        expect(() => read(spec))
          .to.throw(InvalidSpec)
          .with.property('message', message),
      );
    }

    it('and quotes no more of what it refuses than one can read', () => {
      const access = `${'x'.repeat(63)}😀 and more`;
      expect(() => read({ access })).to.throw(InvalidSpec, `spec.access is "${'x'.repeat(63)}"; it takes`);
    });
  });
});

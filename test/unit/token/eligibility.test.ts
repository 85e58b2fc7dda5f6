import { expect } from 'chai';
import { nothingAllowed } from '../../../src/token/decide/account-limits.ts';
import { examine, type Offer, type Refusal, type Request } from '../../../src/token/decide/eligibility.ts';
import type { Lifetimes } from '../../../src/api/capabilities.ts';
import { specHash } from '../../../src/token/decide/spec-hash.ts';
import {
  aCapability,
  anAccount,
  anOffer,
  aRequest,
  aTokenSpec,
  aWanted,
  DAY,
  HOUR,
  MINUTE,
  PLACE,
} from '../../support/builders.ts';

type Limits = NonNullable<ReturnType<typeof anAccount>['spec']['limits']>;

const limited = (limits: Limits, spec: Parameters<typeof aTokenSpec>[0] = {}) =>
  aRequest({ account: anAccount({ spec: { limits } }), spec: aTokenSpec(spec) });
const refusalOf = (request: Request): Refusal | undefined => {
  const result = examine(request);
  return 'refusal' in result ? result.refusal : undefined;
};
const PROJECTS = { name: 'project', covers: 'namespace', many: true, listedApart: true } as const;
const REPOSITORIES = { ...PROJECTS, name: 'repository', covers: 'repository' } as const;
const ONE_PROJECT = { ...PROJECTS, many: false };
/** Of what is wrong with a request: all of it, and what is left once region, access and lifetime are right. */
const late = { rotation: { renewBefore: 13 * HOUR }, scope: ['ops', 'sales'] };
const wrong = { ...late, region: 'mars', access: 'ReadWrite', lifetime: 3 * DAY } as const;
const HOURS: Lifetimes = {
  kind: 'range',
  minimum: HOUR,
  maximum: DAY,
  granularity: HOUR,
  never: true,
  default: DAY,
};

/** A registry without regions. */
function aSingleRegistry(capabilities: Parameters<typeof aCapability>[0] = {}): Offer {
  const place = { region: '', host: 'harbor.example', endpoint: 'https://harbor.example' };
  return {
    name: 'harbor',
    title: 'Harbor',
    capabilities: aCapability(capabilities),
    places: {
      defaultRegion: undefined,
      all: [place],
      resolve: (region) => (region === undefined || region === '' ? place : undefined),
    },
  };
}

const red = anAccount({ spec: { namespaceSelector: { matchLabels: { team: 'red' } } } });

describe('examining a request', () => {
  describe('settles', () => {
    const rows: [string, Request, object][] = [
      ['the default region of the account', aRequest(), aWanted()],
      [
        'a region by its name',
        aRequest({ spec: aTokenSpec({ region: 'eu-de' }) }),
        { region: 'eu-de', host: 'de.icr.io' },
      ],
      [
        'a region by its alias, as the same token',
        aRequest({ spec: aTokenSpec({ region: 'us' }) }),
        aWanted(),
      ],
      [
        'the default of the registry where the account has none',
        aRequest({ account: anAccount({ spec: { defaultRegion: '' } }) }),
        aWanted(),
      ],
      [
        'the registry itself where there are no regions, whatever default the account names',
        aRequest({ offer: aSingleRegistry(), account: anAccount({ spec: { defaultRegion: 'eu-de' } }) }),
        {
          region: '',
          host: 'harbor.example',
          place: { ...PLACE, endpoint: 'https://harbor.example', provider: 'harbor' },
          specHash: specHash({
            account: 'default',
            region: '',
            access: 'ReadOnly',
            lifetime: DAY,
            scope: [],
          }),
        },
      ],
      [
        'a namespace that the account selects',
        aRequest({ account: red, namespace: { name: 'team', labels: { team: 'red' }, terminating: false } }),
        aWanted(),
      ],
      [
        'write access where the account allows it',
        limited({ maxAccess: 'ReadWrite' }, { access: 'ReadWrite' }),
        {
          specHash: specHash({
            account: 'default',
            region: 'us-south',
            access: 'ReadWrite',
            lifetime: DAY,
            scope: [],
          }),
        },
      ],
      ['access within the limit', limited({ maxAccess: 'ReadOnly' }), aWanted()],
      ['a lifetime exactly at the limit', limited({ maxLifetime: '24h' }), aWanted()],
      [
        'Never, whatever the longest lifetime of a token that expires',
        limited({ maxLifetime: '1h' }, { lifetime: 'Never' }),
        { lifetime: 'Never', given: 'Never' },
      ],
      [
        'a lifetime that the registry rounds up, as it is in use and as it is given',
        aRequest({ spec: aTokenSpec({ lifetime: 90 * MINUTE }), offer: anOffer({ lifetimes: HOURS }) }),
        { lifetime: 90 * MINUTE, given: 2 * HOUR },
      ],
      [
        'a default lifetime that is cut to what the account allows',
        { ...limited({ maxLifetime: '150m' }), offer: anOffer({ lifetimes: HOURS }) },
        { lifetime: 2 * HOUR, given: 2 * HOUR },
      ],
      [
        'a scope that the account allows, and the token is another than without',
        {
          ...limited({ scopes: ['team-*', '$(namespace)'] }, { scope: ['team', 'team-b'] }),
          offer: anOffer({ scope: PROJECTS }),
        },
        {
          scope: ['team', 'team-b'],
          specHash: specHash({
            account: 'default',
            region: 'us-south',
            access: 'ReadOnly',
            lifetime: DAY,
            scope: ['team', 'team-b'],
          }),
        },
      ],
      [
        'repositories where a scope names these',
        aRequest({
          spec: aTokenSpec({ scope: ['team/app', 'base'] }),
          offer: anOffer({ scope: REPOSITORIES }),
        }),
        { scope: ['team/app', 'base'] },
      ],
      [
        'no place while it is not known whose the credentials are',
        aRequest({ identity: undefined }),
        { place: undefined },
      ],
      [
        'how long the registry may take to accept and to list a token',
        aRequest({ offer: anOffer({ settling: { acceptance: 1, listing: 2, absence: 3 } }) }),
        { settling: { acceptance: 1, listing: 2, absence: 3 } },
      ],
    ];
    for (const [name, request, wanted] of rows) {
      it(name, () => expect(examine(request)).to.have.property('wanted').that.deep.includes(wanted));
    }
  });

  /** Each row is refused for its own reason, and would be for those of all rows after it too. */
  describe('refuses, in this order', () => {
    const rows: [part: Partial<Request>, reason: string, message: string][] = [
      [
        { account: undefined },
        'AccountNotFound',
        'RegistryAccount default does not exist; create it, or name another in spec.accountRef.name',
      ],
      [{ offer: undefined }, 'AccountNotReady', 'RegistryAccount default names no registry'],
      [
        { namespace: { name: 'team', labels: {}, terminating: true } },
        'NamespaceTerminating',
        'namespace team is being deleted; nothing is created in it any more',
      ],
      [
        { namespace: { name: 'team', labels: { team: 'blue' }, terminating: false } },
        'NamespaceNotAllowed',
        "RegistryAccount default is not for namespace team: its namespaceSelector does not match the namespace's labels",
      ],
      [
        { namespace: { name: 'team', labels: { team: 'red' }, terminating: false } },
        'RegionUnknown',
        'RegistryAccount default has no region mars; it has eu-de, us-south',
      ],
      [
        { spec: aTokenSpec({ ...wrong, region: 'us' }) },
        'AccessNotAllowed',
        'RegistryAccount default allows at most ReadOnly; spec.access asks for ReadWrite',
      ],
      [
        { spec: aTokenSpec({ ...wrong, region: 'us', access: 'ReadOnly' }) },
        'AccessNotAllowed',
        'tokens of RegistryAccount default have ReadWrite, and spec.access asks for ReadOnly: ask for what they have, or use another account',
      ],
      [
        { offer: anOffer({ lifetimes: HOURS, scope: ONE_PROJECT }) },
        'LifetimeNotOffered',
        'IBM registry tokens has tokens for at most 24h; spec.lifetime asks for 72h',
      ],
      [
        { spec: aTokenSpec({ ...late, lifetime: DAY }) },
        'LifetimeNotAllowed',
        'RegistryAccount default allows at most 12h; spec.lifetime asks for 24h',
      ],
      [
        { spec: aTokenSpec(late) },
        'LifetimeNotOffered',
        'spec.rotation.renewBefore must be shorter than the lifetime, which is 12h',
      ],
      [
        { spec: aTokenSpec({ scope: late.scope }) },
        'ScopeNotOffered',
        'a token of IBM registry tokens is for one project; spec.scope names 2',
      ],
      [
        { spec: aTokenSpec({ scope: ['ops'] }) },
        'ScopeNotAllowed',
        'RegistryAccount default allows team-*; spec.scope asks for ops',
      ],
    ];
    let request = aRequest({
      spec: aTokenSpec(wrong),
      account: anAccount({
        spec: {
          namespaceSelector: { matchLabels: { team: 'red' } },
          limits: { maxAccess: 'ReadOnly', maxLifetime: '12h', scopes: ['team-*'] },
        },
      }),
      offer: anOffer({ access: ['ReadWrite'], lifetimes: HOURS, scope: ONE_PROJECT }),
    });
    const { account, offer } = request;
    for (const [part, reason, message] of rows) {
      const refused = { ...request, ...part };
      request = { ...refused, account, offer: part.offer ?? request.offer ?? offer };
      it(message, () => expect(examine(refused)).to.deep.equal({ refusal: { reason, message } }));
    }
    it('and grants what is left', () => {
      expect(examine({ ...request, spec: aTokenSpec({ scope: ['team-a'] }) })).to.have.property('wanted');
    });
  });

  describe('refuses', () => {
    const strict = anAccount({ spec: { limits: undefined } });
    const rows: [what: string, request: Request, reason: string, message: string][] = [
      [
        'a region of a registry that has none',
        aRequest({ offer: aSingleRegistry(), spec: aTokenSpec({ region: 'us-south' }) }),
        'RegionUnknown',
        'Harbor has no regions; leave out spec.region',
      ],
      [
        'a default region that the account does not have',
        aRequest({ account: anAccount({ spec: { defaultRegion: 'mars' } }) }),
        'RegionUnknown',
        'RegistryAccount default has no region mars; it has eu-de, us-south',
      ],
      [
        'any region where the account has none yet',
        aRequest({
          offer: { ...anOffer(), places: { defaultRegion: 'us-south', all: [], resolve: () => undefined } },
        }),
        'RegionUnknown',
        'RegistryAccount default has no region us-south; it has none until spec.regions names one',
      ],
      [
        'a token that never expires where the account does not allow it',
        limited({ allowNeverExpiring: false }, { lifetime: 'Never' }),
        'LifetimeNotAllowed',
        'RegistryAccount default does not allow tokens that never expire; spec.lifetime asks for Never',
      ],
      [
        'a token that never expires where the registry has none',
        aRequest({
          spec: aTokenSpec({ lifetime: 'Never' }),
          offer: anOffer({ lifetimes: { ...HOURS, never: false } }),
        }),
        'LifetimeNotOffered',
        'IBM registry tokens has no tokens that never expire; spec.lifetime asks for Never',
      ],
      [
        'a token that never expires where the account says nothing of it',
        aRequest({ account: strict, spec: aTokenSpec({ lifetime: 'Never' }) }),
        'LifetimeNotAllowed',
        'RegistryAccount default does not allow tokens that never expire; spec.lifetime asks for Never',
      ],
      [
        'write access where the account says nothing of it',
        aRequest({ account: strict, spec: aTokenSpec({ access: 'ReadWrite' }) }),
        'AccessNotAllowed',
        'RegistryAccount default allows at most ReadOnly; spec.access asks for ReadWrite',
      ],
      [
        'a lifetime that the registry rounds up to more than the account allows',
        {
          ...limited({ maxLifetime: '100m' }, { lifetime: 90 * MINUTE }),
          offer: anOffer({ lifetimes: HOURS }),
        },
        'LifetimeNotAllowed',
        'RegistryAccount default allows at most 100m, and a token for 1h30m lives 2h; spec.lifetime asks for 1h30m',
      ],
      [
        'a margin as long as the default lifetime',
        aRequest({ spec: aTokenSpec({ rotation: { renewBefore: DAY } }) }),
        'LifetimeNotOffered',
        'spec.rotation.renewBefore must be shorter than the lifetime, which is 24h',
      ],
      [
        'a margin where tokens never expire by default',
        aRequest({
          spec: aTokenSpec({ rotation: { renewBefore: HOUR } }),
          offer: anOffer({ lifetimes: { ...HOURS, default: 'Never' } }),
        }),
        'LifetimeNotOffered',
        'spec.rotation.renewBefore must be shorter than the lifetime, which is Never',
      ],
      [
        'a scope where tokens are for all that the account has',
        aRequest({ spec: aTokenSpec({ scope: ['team-a'] }) }),
        'ScopeNotOffered',
        'tokens of this account of IBM registry tokens are for all of it; leave out spec.scope',
      ],
      [
        'no scope where the account allows some only',
        { ...limited({ scopes: ['team-*'] }), offer: anOffer({ scope: PROJECTS }) },
        'ScopeNotAllowed',
        'RegistryAccount default allows team-*; name what the token is for in spec.scope',
      ],
      [
        'any token where the account allows some scopes only and its registry has none',
        limited({ scopes: ['team-*'] }),
        'ScopeNotAllowed',
        "RegistryAccount default allows team-*, but its tokens can't be limited; take out its limits.scopes, or use another account",
      ],
      [
        'the namespace of another',
        {
          ...limited({ scopes: ['$(namespace)'] }, { scope: ['team', 'team-b'] }),
          offer: anOffer({ scope: PROJECTS }),
        },
        'ScopeNotAllowed',
        'RegistryAccount default allows team ($(namespace)); spec.scope asks for team-b',
      ],
      [
        'a repository where a scope names projects',
        aRequest({ spec: aTokenSpec({ scope: ['base', 'team/app'] }), offer: anOffer({ scope: PROJECTS }) }),
        'ScopeNotOffered',
        'a name in the scope of IBM registry tokens is a project, without host and repository; write team for team/app in spec.scope',
      ],
      [
        'a project with its host',
        aRequest({
          spec: aTokenSpec({ scope: ['harbor.example/team'] }),
          offer: anOffer({ scope: PROJECTS }),
        }),
        'ScopeNotOffered',
        'a name in the scope of IBM registry tokens is a project, without host and repository; write team for harbor.example/team in spec.scope',
      ],
      [
        'any lifetime where the account allows none that the registry has',
        {
          ...limited({ maxLifetime: '30m', allowNeverExpiring: false }, { lifetime: 20 * MINUTE }),
          offer: anOffer({ lifetimes: HOURS }),
        },
        'LifetimeNotAllowed',
        'RegistryAccount default allows no lifetime that IBM registry tokens offers (1h to 24h, or Never); an administrator has to raise its limits.maxLifetime',
      ],
      [
        'a fixed lifetime where the account allows a shorter one only',
        {
          ...limited({ maxLifetime: '30m' }),
          offer: anOffer({ lifetimes: { kind: 'fixed', expected: HOUR } }),
        },
        'LifetimeNotAllowed',
        'RegistryAccount default allows no lifetime that IBM registry tokens offers (1h); an administrator has to raise its limits.maxLifetime',
      ],
    ];
    for (const [what, request, reason, message] of rows)
      it(what, () => expect(refusalOf(request)).to.deep.equal({ reason, message }));
  });

  it('names but a few of many patterns', () => {
    const scopes = Array.from({ length: 64 }, (_, index) => `team-${index}`);
    const request = { ...limited({ scopes }, { scope: ['ops'] }), offer: anOffer({ scope: PROJECTS }) };
    expect(refusalOf(request)?.message).to.equal(
      'RegistryAccount default allows team-0, team-1, team-2, team-3, team-4 and 59 more; spec.scope asks for ops',
    );
  });

  it('allows nothing under a limit that can not be read', () => {
    expect(examine(limited({ maxLifetime: 'a week' })))
      .to.have.property('refusal')
      .that.includes({
        reason: 'LifetimeNotAllowed',
      });
  });
});

describe('the limits of an account', () => {
  const rows: [limits: Limits, lifetimes: Lifetimes, left: boolean][] = [
    [{}, HOURS, true],
    [{ maxLifetime: '1h' }, HOURS, true],
    [{ maxLifetime: '59m' }, HOURS, false],
    [{ maxLifetime: '59m', allowNeverExpiring: true }, HOURS, true],
    [{ maxLifetime: '59m', allowNeverExpiring: true }, { ...HOURS, never: false }, false],
    [{ maxLifetime: '12h' }, { kind: 'fixed', expected: 12 * HOUR }, true],
    [{ maxLifetime: '11h', allowNeverExpiring: true }, { kind: 'fixed', expected: 12 * HOUR }, false],
  ];
  for (const [limits, lifetimes, left] of rows) {
    const none = nothingAllowed(
      anAccount({ spec: { limits: { allowNeverExpiring: false, ...limits } } }),
      anOffer({ lifetimes }),
    );
    it(`${JSON.stringify(limits)} leave ${left ? 'a lifetime' : 'none'} of ${JSON.stringify(lifetimes)}`, () =>
      expect(none === undefined).to.equal(left));
  }

  it('that leave no access, or no scope, say so', () => {
    const of = (limits: object, capability: Parameters<typeof anOffer>[0]): string | undefined =>
      nothingAllowed(anAccount({ spec: { limits } }), anOffer(capability))?.reason;
    const writing = { access: ['ReadWrite'] } as const;
    expect(of({ maxAccess: 'ReadOnly' }, writing)).to.equal('AccessNotAllowed');
    expect(of({ maxAccess: 'ReadWrite' }, writing)).to.equal(undefined);
    expect(of({ scopes: ['team-*'] }, { scope: undefined })).to.equal('ScopeNotAllowed');
    expect(of({ scopes: ['team-*'] }, { scope: PROJECTS })).to.equal(undefined);
    expect(of({ scopes: ['team/app', 'base/*'] }, { scope: PROJECTS })).to.equal('ScopeNotAllowed');
    expect(of({ scopes: ['team/app', 'base'] }, { scope: PROJECTS })).to.equal(undefined);
    expect(of({ scopes: ['team/app'] }, { scope: REPOSITORIES })).to.equal(undefined);
  });

  it('that leave only scopes past a project say how to write them', () => {
    const account = anAccount({ spec: { limits: { scopes: ['harbor.example/team'] } } });
    expect(nothingAllowed(account, anOffer({ scope: PROJECTS }))?.message).to.equal(
      'spec.limits.scopes allow no project, and a name in the scope of IBM registry tokens is one; write them without host and repository, such as team',
    );
  });

  it('that leave no lifetime say so', () => {
    const refusal = nothingAllowed(
      anAccount({ spec: { limits: { maxLifetime: '59m', allowNeverExpiring: false } } }),
      anOffer({ lifetimes: HOURS }),
    );
    expect(refusal).to.deep.equal({
      reason: 'LifetimeNotOffered',
      message:
        'spec.limits allow no lifetime that IBM registry tokens offers (1h to 24h, or Never); raise maxLifetime or allow tokens that never expire',
    });
  });
});

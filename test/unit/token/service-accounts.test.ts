import { expect } from 'chai';
import * as fc from 'fast-check';
import { LINKS_ANNOTATION } from '../../../src/api/names.ts';
import {
  added,
  claimOn,
  linksOf,
  planLinks,
  recordedServiceAccounts,
  release,
  serviceAccountEntries,
  serviceAccountPatterns,
  type Claim,
  type Links,
  type ServiceAccount,
} from '../../../src/token/workloads/service-accounts.ts';
import { fits } from '../../../src/api/syntax/pattern.ts';
import { aToken, aTokenSpec, at, type Part } from '../../support/builders.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';

const links = (names: readonly string[], record: Record<string, string> = {}): Links => ({
  entries: names.map((name) => ({ name })),
  record,
});
const claim = (uid: string, secret?: string, frozen = false): Claim => ({ uid, secret, frozen });

describe('pull secrets of a ServiceAccount', () => {
  const table: [string, Links, Claim[], Links][] = [
    ['nothing wanted, nothing there', links([]), [], links([])],
    ['wanted and missing: put last', links(['a']), [claim('1', 's')], links(['a', 's'], { 1: 's' })],
    [
      'wanted and there as recorded: stays',
      links(['s', 'a'], { 1: 's' }),
      [claim('1', 's')],
      links(['s', 'a'], { 1: 's' }),
    ],
    ["wanted and there already: it is somebody else's", links(['s']), [claim('1', 's')], links(['s'])],
    [
      'recorded, but taken out by somebody: put back',
      links(['a'], { 1: 's' }),
      [claim('1', 's')],
      links(['a', 's'], { 1: 's' }),
    ],
    [
      'no longer wanted: taken out, others keep their place',
      links(['a', 's', 'b'], { 1: 's' }),
      [claim('1')],
      links(['a', 'b']),
    ],
    ['of a RegistryToken that is gone: taken out', links(['a', 's'], { 1: 's' }), [], links(['a'])],
    ['added by somebody beside ours: his stays', links(['s', 's'], { 1: 's' }), [claim('1')], links(['s'])],
    ['no longer wanted and gone already', links(['a'], { 1: 's' }), [claim('1')], links(['a'])],
    [
      'another Secret is wanted',
      links(['s', 'a'], { 1: 's' }),
      [claim('1', 't')],
      links(['a', 't'], { 1: 't' }),
    ],
    [
      'two want one Secret: it is there once',
      links([]),
      [claim('1', 's'), claim('2', 's')],
      links(['s'], { 1: 's', 2: 's' }),
    ],
    [
      'of two that want one Secret, one goes',
      links(['s'], { 1: 's', 2: 's' }),
      [claim('2', 's')],
      links(['s'], { 2: 's' }),
    ],
    [
      'a second one comes to want what is ours',
      links(['s'], { 1: 's' }),
      [claim('1', 's'), claim('2', 's')],
      links(['s'], { 1: 's', 2: 's' }),
    ],
    ['one takes over from another', links(['s'], { 1: 's' }), [claim('2', 's')], links(['s'], { 2: 's' })],
    [
      'frozen: what it has stays',
      links(['s'], { 1: 's' }),
      [claim('1', undefined, true)],
      links(['s'], { 1: 's' }),
    ],
    [
      'frozen: what it lacks is not put back',
      links([], { 1: 's' }),
      [claim('1', 's', true)],
      links([], { 1: 's' }),
    ],
    ['frozen: nothing new', links([]), [claim('1', 's', true)], links([])],
    [
      'two that are missing come in the order of their names',
      links([]),
      [claim('1', 't'), claim('2', 's')],
      links(['s', 't'], { 1: 't', 2: 's' }),
    ],
  ];
  for (const [what, before, claims, after] of table)
    it(what, () => {
      expect(planLinks(before, claims)).to.deep.equal(after);
    });

  it('of a RegistryToken that is gone while its Secret stays: the entry is its author’s', () => {
    const before = links(['a', 's', 't'], { 1: 's', 2: 't' });
    const after = planLinks(before, [], (uid, secret) => uid === '1' && secret === 's');
    expect(after).to.deep.equal(links(['a', 's']));
    expect(planLinks(after, [])).to.deep.equal(after);
  });
  it('of a RegistryToken that claims nothing any more: taken out, though its Secret would stay', () => {
    expect(planLinks(links(['s'], { 1: 's' }), [claim('1')], () => true)).to.deep.equal(links([]));
  });

  const name = fc.constantFrom('a', 'b', 'c', 's', 't');
  const uid = fc.constantFrom('1', '2', '3');
  const anyLinks = fc.record({
    entries: fc.array(fc.record({ name }), { maxLength: 5 }),
    record: fc.dictionary(uid, name, { maxKeys: 3 }),
  });
  const anyClaims = fc.uniqueArray(
    fc.record({ uid, secret: fc.option(name, { nil: undefined }), frozen: fc.boolean() }),
    {
      selector: (each) => each.uid,
    },
  );

  it('planned again, stay as they are', () => {
    fc.assert(
      fc.property(anyLinks, anyClaims, (before, claims) => {
        const once = planLinks(before, claims);
        expect(planLinks(once, claims)).to.deep.equal(once);
      }),
    );
  });

  it('lose nothing that no RegistryToken put there, and nothing changes places', () => {
    fc.assert(
      fc.property(anyLinks, anyClaims, (before, claims) => {
        const ours = Object.values(before.record);
        const foreign = ({ entries }: Links): string[] =>
          entries.flatMap((entry) => (ours.some((each) => each === entry.name) ? [] : [entry.name ?? '']));
        const after = foreign(planLinks(before, claims));
        expect(after.slice(0, foreign(before).length)).to.deep.equal(foreign(before));
      }),
    );
  });

  it('have every Secret that is wanted, and lose at most one entry of each that is not', () => {
    fc.assert(
      fc.property(anyLinks, anyClaims, (before, claims) => {
        const { entries } = planLinks(before, claims);
        const count = (list: Links['entries'], secret: string): number =>
          list.filter((entry) => entry.name === secret).length;
        for (const { secret, frozen } of claims)
          if (secret !== undefined && !frozen) expect(count(entries, secret)).to.be.greaterThan(0);
        for (const secret of ['a', 'b', 'c', 's', 't'])
          expect(count(entries, secret)).to.be.at.least(count(before.entries, secret) - 1);
      }),
    );
  });

  it('are as before when all that came have gone, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name })), anyClaims, fc.boolean(), (entries, claims, atOnce) => {
        const before: Links = { entries, record: {} };
        const wanting = claims.map((each) => ({ ...each, frozen: false }));
        const linked = planLinks(before, wanting);
        const after = atOnce
          ? planLinks(linked, [])
          : wanting.reduce((current, each) => release(current, each.uid, false), linked);
        expect(after).to.deep.equal(before);
      }),
    );
  });
});

describe('what a deleted RegistryToken has put into a ServiceAccount', () => {
  const table: [string, Links, boolean, Links][] = [
    ['is taken out', links(['a', 's'], { 1: 's' }), false, links(['a'])],
    [
      'stays with the Secret, as an entry like any other',
      links(['a', 's'], { 1: 's' }),
      true,
      links(['a', 's']),
    ],
    [
      'stays while another RegistryToken wants it',
      links(['s'], { 1: 's', 2: 's' }),
      false,
      links(['s'], { 2: 's' }),
    ],
    ['is nothing, where nothing is recorded', links(['s']), false, links(['s'])],
    ['may be gone already', links(['a'], { 1: 's' }), false, links(['a'])],
  ];
  for (const [what, before, keep, after] of table)
    it(what, () => {
      expect(release(before, '1', keep)).to.deep.equal(after);
    });
});

describe('the record on a ServiceAccount', () => {
  const account = (text?: string): ServiceAccount => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: 'builder',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: at(0),
      ...(text !== undefined && { annotations: { [LINKS_ANNOTATION]: text } }),
    },
  });
  for (const [what, text, record] of [
    ['missing', undefined, {}],
    ['as written', '{"serviceAccount":"u","secrets":{"1":"s"}}', { 1: 's' }],
    ['of the ServiceAccount that this one was copied from', '{"serviceAccount":"v","secrets":{"1":"s"}}', {}],
    ['of no ServiceAccount', '{"secrets":{"1":"s"}}', {}],
    ['without Secrets', '{"serviceAccount":"u","secrets":["s"]}', {}],
    ['no JSON', 'oops', {}],
    ['a list', '["s"]', {}],
    ['null', 'null', {}],
    ['partly of another type', '{"serviceAccount":"u","secrets":{"1":"s","2":3}}', { 1: 's' }],
  ] as const)
    it(`${what}: says ${JSON.stringify(record)}`, () => {
      expect(linksOf(account(text))).to.deep.equal({ entries: [], record });
    });
});

describe('the patterns of a RegistryToken', () => {
  it('are those of its spec and status, each once', () => {
    const spec = { serviceAccounts: ['*', 'builder', 'ci-*'] };
    const token = aToken({ spec, status: { serviceAccounts: ['old-*', '*', 'default'] } });
    expect(serviceAccountPatterns(token)).to.deep.equal(['*', 'ci-*', 'old-*']);
    expect(serviceAccountEntries(token)).to.deep.equal(['*', 'builder', 'ci-*', 'old-*', 'default']);
  });

  it('are no more, and no more complex, than the CRD takes, whatever an API server lets through', () => {
    const simple = Array.from({ length: 40 }, (_, n) => `a${n}-*`);
    const token = aToken({ spec: { serviceAccounts: ['builder', 'a*b*c*', ...simple, 'default'] } });
    expect(serviceAccountEntries(token)).to.deep.equal(['builder', ...simple.slice(0, 8), 'default']);
  });
});

describe('what a RegistryToken claims of a ServiceAccount', () => {
  const token = (part: Part<RegistryToken>): RegistryToken =>
    aToken({ metadata: { uid: '1' }, spec: { serviceAccounts: ['builder'] }, ...part });
  const linked = { serviceAccounts: ['builder'], secretRef: { name: 's', uid: 'x' } };
  const table: [string, Part<RegistryToken>, Claim][] = [
    ['its Secret', { status: linked }, claim('1', 's')],
    ['nothing before it has a Secret', { status: { serviceAccounts: ['builder'] } }, claim('1')],
    ['nothing before its status says so', { status: { secretRef: linked.secretRef } }, claim('1')],
    ['nothing any more where the spec does not name it', { spec: {}, status: linked }, claim('1')],
    [
      'its Secret where a pattern stands for it',
      { spec: { serviceAccounts: ['b*r'] }, status: { ...linked, serviceAccounts: ['*'] } },
      claim('1', 's'),
    ],
    [
      'nothing where no pattern stands for it',
      { spec: { serviceAccounts: ['*-builder', 'build'] }, status: linked },
      claim('1'),
    ],
    [
      'what it has, while suspended',
      { spec: { serviceAccounts: ['builder'], suspend: true }, status: linked },
      claim('1', 's', true),
    ],
    [
      'what it has, while it is deleted',
      { metadata: { uid: '1', deletionTimestamp: at(0) }, status: linked },
      claim('1', 's', true),
    ],
  ];
  for (const [what, part, expected] of table)
    it(what, () => {
      expect(claimOn(token(part), 'builder')).to.deep.equal(expected);
    });
});

describe('the ServiceAccounts in a status', () => {
  const recorded = (
    status: readonly string[],
    spec: readonly string[],
    holding: readonly string[] = [],
    suspend = false,
  ): string[] =>
    recordedServiceAccounts(
      aToken({ spec: { suspend }, status: { serviceAccounts: [...status] } }),
      aTokenSpec({ serviceAccounts: spec }),
      (entry) => holding.filter((name) => fits(entry, name)),
    );
  it('are those named', () => {
    expect(recorded([], ['a', 'b'])).to.deep.equal(['a', 'b']);
  });
  it('and those named before that still have something', () => {
    expect(recorded(['x', 'y', 'a'], ['a'], ['x', 'a'])).to.deep.equal(['x', 'a']);
  });
  it('are patterns as they stand in the spec, and those of before while one that they stand for has something', () => {
    expect(recorded(['*', 'ci-*'], ['app-*'], ['other', 'app-1'])).to.deep.equal(['*', 'app-*']);
  });
  it('are not those of before where what they stand for is named otherwise', () => {
    expect(recorded(['*', 'a'], ['a*'], ['a', 'a-1'])).to.deep.equal(['a*']);
  });
  it('stay the same while suspended', () => {
    expect(recorded(['x'], ['a'], [], true)).to.deep.equal(['x']);
  });
  it('are never more than the schema takes; those to be undone come first', () => {
    const former = Array.from({ length: 100 }, (_, n) => `former-${n}`);
    const named = Array.from({ length: 64 }, (_, n) => `named-${n}`);
    const all = recorded(former, named, former);
    expect(all).to.have.length(128);
    expect(all.slice(0, 100)).to.deep.equal(former);
  });
});

describe('added pull secrets', () => {
  it('are those that were not there', () => {
    expect(added(links(['a']), links(['a', 's', 't']))).to.deep.equal(['s', 't']);
  });
});

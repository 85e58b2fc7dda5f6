import { expect } from 'chai';
import * as fc from 'fast-check';
import { applyMergePatch } from '../../../sandbox/apiserver/patch/merge-patch.ts';
import type { JsonObject } from '../../../sandbox/apiserver/json.ts';
import { clusterTokenFault, type ClusterRegistryToken } from '../../../src/api/cluster-registry-token.ts';
import { FINALIZER, ROTATE_ANNOTATION, TEMPLATE_ANNOTATION } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { KubeObject } from '../../../src/common/objects.ts';
import { essentialToken } from '../../../src/controller/shared/kept-fields.ts';
import { decideChild, isMatching } from '../../../src/token/cluster-token/child-decision.ts';
import {
  childManifest,
  childPatch,
  isAsWanted,
  isChild,
  wantedChild,
} from '../../../src/token/cluster-token/child.ts';
import {
  MAX_RECORD,
  readRecord,
  recordOf,
  recordText,
  type TemplateRecord,
} from '../../../src/token/cluster-token/template-record.ts';
import { aToken, at } from '../../support/builders.ts';
import { aClusterToken, aNamespace } from '../../support/cluster-tokens.ts';

/** The RegistryToken of a parent as the API server keeps it, after a change by somebody. */
function aChild(parent: ClusterRegistryToken, change: object = {}): RegistryToken {
  const { metadata, ...manifest } = childManifest('team', wantedChild(parent));
  const created = aToken({ ...manifest, metadata: { ...metadata, finalizers: [FINALIZER] } });
  return applyMergePatch(created as unknown as JsonObject, change as JsonObject) as unknown as RegistryToken;
}

const decide = (
  parent: ClusterRegistryToken,
  namespace: KubeObject | undefined,
  token?: RegistryToken,
): string => decideChild({ parent, namespace, token: token && essentialToken(structuredClone(token)) });

describe('what a ClusterRegistryToken does in a namespace', () => {
  const parent = aClusterToken({
    spec: {
      namespaceSelector: { matchLabels: { team: 'yes' } },
      template: {
        metadata: { labels: { a: '1' }, annotations: { note: 'x' } },
        spec: { access: 'ReadOnly' },
      },
    },
  });
  const going = aClusterToken({ ...parent, metadata: { deletionTimestamp: at(0) } });
  const matching = aNamespace('team', { team: 'yes' });
  const other = aNamespace('team', {});
  const ending: KubeObject = { ...matching, metadata: { ...matching.metadata, deletionTimestamp: at(0) } };
  const foreign = aToken({ metadata: { name: 'everywhere' } });
  const deleted = aChild(parent, { metadata: { deletionTimestamp: at(0) } });

  const table: [string, ClusterRegistryToken, KubeObject | undefined, RegistryToken | undefined, string][] = [
    ['matches and has none', parent, matching, undefined, 'create'],
    ['does not match and has none', parent, other, undefined, 'none'],
    ['is being deleted and has none', parent, ending, undefined, 'none'],
    ['is gone', parent, undefined, aChild(parent), 'none'],
    ['has it as the template says', parent, matching, aChild(parent), 'none'],
    ['no longer matches', parent, other, aChild(parent), 'remove'],
    ['is being deleted', parent, ending, aChild(parent), 'none'],
    ['has it, and it is being deleted', parent, matching, deleted, 'none'],
    ["has somebody else's", parent, matching, foreign, 'inTheWay'],
    ["does not match and has somebody else's", parent, other, foreign, 'none'],
    ['has it, of a ClusterRegistryToken that is being deleted', going, matching, aChild(parent), 'remove'],
    ['has none, of a ClusterRegistryToken that is being deleted', going, matching, undefined, 'none'],
    ['has one with another spec', parent, matching, aChild(parent, { spec: { suspend: true } }), 'repair'],
    ['has one with a field less', parent, matching, aChild(parent, { spec: { access: null } }), 'repair'],
    [
      'has one with another label',
      parent,
      matching,
      aChild(parent, { metadata: { labels: { a: '2' } } }),
      'repair',
    ],
    [
      'has one without the annotation',
      parent,
      matching,
      aChild(parent, { metadata: { annotations: { note: null } } }),
      'repair',
    ],
    [
      'has one with a label more',
      parent,
      matching,
      aChild(parent, { metadata: { labels: { b: '2' } } }),
      'none',
    ],
    [
      'has one without owners',
      parent,
      matching,
      aChild(parent, { metadata: { ownerReferences: null } }),
      'repair',
    ],
    [
      'has one of an earlier ClusterRegistryToken of that name, as after a restore',
      parent,
      matching,
      aChild(aClusterToken({ metadata: { uid: 'earlier' }, spec: parent.spec })),
      'repair',
    ],
    [
      'has one that another controller took over',
      parent,
      matching,
      aChild(parent, {
        metadata: {
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'Deployment', name: 'everywhere', uid: '1', controller: true },
          ],
        },
      }),
      'inTheWay',
    ],
  ];
  for (const [what, by, namespace, token, action] of table)
    it(`that ${what}: ${action}`, () => expect(decide(by, namespace, token)).to.equal(action));

  it('takes no note of who else owns a RegistryToken, and keeps them', () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '2' };
    const token = aChild(parent, { metadata: { ownerReferences: [owner] } });
    const patch = childPatch(token, wantedChild(parent)) as { metadata: { ownerReferences: unknown[] } };
    expect(patch.metadata.ownerReferences).to.deep.equal([owner, wantedChild(parent).owner]);
  });
});

describe('a rotation of a ClusterRegistryToken', () => {
  const rotating = (value: string): ClusterRegistryToken =>
    aClusterToken({ metadata: { annotations: { [ROTATE_ANNOTATION]: value } } });
  const passedOn = (token: RegistryToken, parent: ClusterRegistryToken): unknown =>
    (childPatch(token, wantedChild(parent)) as { metadata: { annotations: object } }).metadata.annotations;

  it('is passed on to each RegistryToken, once', () => {
    const token = aChild(aClusterToken());
    expect(decide(rotating('1'), aNamespace('team'), token)).to.equal('repair');
    expect(passedOn(token, rotating('1'))).to.include({ [ROTATE_ANNOTATION]: '1' });
    const rotated = aChild(rotating('1'));
    expect(decide(rotating('1'), aNamespace('team'), rotated)).to.equal('none');
    expect(passedOn(rotated, rotating('1'))).not.to.have.property(ROTATE_ANNOTATION);
  });

  it('does not undo one that was asked for in the namespace', () => {
    const token = aChild(rotating('1'), { metadata: { annotations: { [ROTATE_ANNOTATION]: 'mine' } } });
    expect(decide(rotating('1'), aNamespace('team'), token)).to.equal('none');
    expect(passedOn(token, rotating('2'))).to.include({ [ROTATE_ANNOTATION]: '2' });
  });

  it('is not asked of a RegistryToken that is only being created', () =>
    expect(childManifest('team', wantedChild(rotating('1'))).metadata.annotations).to.have.all.keys(
      TEMPLATE_ANNOTATION,
    ));
});

describe('the record of a template beside a RegistryToken', () => {
  const read = (text?: string): TemplateRecord =>
    readRecord({ annotations: text === undefined ? {} : { [TEMPLATE_ANNOTATION]: text } });
  const nothing = { labels: [], annotations: [] };

  it('says which labels, annotations and rotation the RegistryToken has of it', () => {
    const record = { labels: ['a'], annotations: ['b'], rotate: '1' };
    expect(read(recordText(record))).to.deep.equal(record);
    expect(read()).to.deep.equal(nothing);
  });

  it('is the same text whatever the order of labels and annotations', () => {
    const written = (...keys: string[]): string => {
      const marks = Object.fromEntries(keys.map((key) => [key, '1']));
      const template = { metadata: { labels: marks, annotations: marks } };
      return recordText(recordOf(aClusterToken({ spec: { namespaceSelector: {}, template } })));
    };
    expect(written('b', 'a')).to.equal(written('a', 'b'));
  });

  for (const text of ['', '{', 'null', '1', '"labels"', '[]', '{"labels":"a","annotations":{},"rotate":1}'])
    it(`says nothing where people wrote ${text || 'nothing'} in its place`, () =>
      expect(read(text)).to.deep.equal(nothing));

  it('is read as far as a template can have written it: so many characters, and so many keys', () => {
    const keys = Array.from({ length: 33 }, (_, at_) => `k${at_}`);
    const text = recordText({ labels: keys, annotations: keys });
    expect(read(text)).to.deep.equal({ labels: keys.slice(0, 32), annotations: keys.slice(0, 32) });
    expect(read(text.padEnd(MAX_RECORD))).to.deep.equal(read(text));
    expect(read(text.padEnd(MAX_RECORD + 1))).to.deep.equal(nothing);
  });

  it('names no keys but texts', () =>
    expect(read('{"labels":[1,"a",null]}')).to.deep.equal({ labels: ['a'], annotations: [] }));
});

describe('the spec of a ClusterRegistryToken', () => {
  const template = { spec: {} };
  const faults: [string, ClusterRegistryToken['spec'], string][] = [
    [
      'an operator without its values',
      { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] }, template },
      'In and NotIn take values',
    ],
    [
      'values that an operator does not take',
      {
        namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
        template,
      },
      'take none',
    ],
    [
      'what can be no label',
      { namespaceSelector: {}, template: { metadata: { labels: { 'a b': '' } } } },
      '"a b="',
    ],
    [
      "a label of the operator's",
      { namespaceSelector: {}, template: { metadata: { labels: { 'pullsecrets.dev/x': '' } } } },
      'it takes no label that begins with pullsecrets.dev/',
    ],
    [
      'the key of no annotation',
      { namespaceSelector: {}, template: { metadata: { annotations: { 'a b': '' } } } },
      '"a b"',
    ],
    [
      'a rotation in the template',
      { namespaceSelector: {}, template: { metadata: { annotations: { [ROTATE_ANNOTATION]: '1' } } } },
      'on the ClusterRegistryToken itself',
    ],
    [
      'a spec that no RegistryToken takes',
      { namespaceSelector: {}, template: { spec: { lifetime: '1d' } } },
      'spec.template.spec.lifetime is "1d"',
    ],
  ];
  for (const [what, spec, words] of faults)
    it(`with ${what} is refused`, () => expect(clusterTokenFault(aClusterToken({ spec }))).to.include(words));

  it('with the least there has to be is taken', () =>
    expect(clusterTokenFault(aClusterToken())).to.equal(undefined));
});

describe('whatever the template says and people do to a RegistryToken of it', () => {
  const key = fc.constantFrom('a', 'b', 'constructor', 'example.com/c');
  const marks = fc.dictionary(key, fc.constantFrom('1', '2'), { noNullPrototype: true });
  const spec = fc.record(
    {
      access: fc.constantFrom('ReadOnly' as const, 'ReadWrite' as const),
      scope: fc.subarray(['x', 'y']),
      suspend: fc.boolean(),
      rotation: fc.record(
        { gracePeriod: fc.constantFrom('1m', '2m') },
        { requiredKeys: [], noNullPrototype: true },
      ),
      secret: fc.record({ labels: marks, annotations: marks }, { requiredKeys: [], noNullPrototype: true }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const rotate = fc.option(fc.constantFrom('1', '2'), { nil: undefined });
  const aParent = fc
    .record({ labels: marks, annotations: marks, spec, rotate })
    .map(({ rotate: value, labels, annotations, spec: child }) =>
      aClusterToken({
        metadata: value === undefined ? {} : { annotations: { [ROTATE_ANNOTATION]: value } },
        spec: { namespaceSelector: {}, template: { metadata: { labels, annotations }, spec: child } },
      }),
    );
  const edit = fc.record(
    {
      metadata: fc.record(
        { labels: marks, annotations: marks, ownerReferences: fc.constant(null) },
        { requiredKeys: [], noNullPrototype: true },
      ),
      spec,
    },
    { requiredKeys: [], noNullPrototype: true },
  );

  it('one patch makes it as the template says, takes back what the template had, and touches nothing else', () => {
    fc.assert(
      fc.property(aParent, aParent, edit, (before, after, change) => {
        const token = aChild(before, {
          ...change,
          metadata: { ...change.metadata, annotations: { ...change.metadata?.annotations, others: 'stay' } },
        });
        const kept = essentialToken(structuredClone(token));
        const wanted = wantedChild(after);
        const patched = applyMergePatch(
          structuredClone(token) as unknown as JsonObject,
          childPatch(
            {
              ...kept,
              metadata: { ...kept.metadata, ownerReferences: token.metadata.ownerReferences ?? [] },
            },
            wanted,
          ) as JsonObject,
        ) as unknown as RegistryToken;
        expect(isChild(patched)).to.equal(true);
        expect(isAsWanted(essentialToken(structuredClone(patched)), wanted)).to.equal(true);
        expect(patched.spec).to.deep.equal(after.spec.template.spec);
        expect(patched.metadata.annotations).to.include({ others: 'stay' });
        const had = Object.keys(before.spec.template.metadata?.labels ?? {});
        const has = after.spec.template.metadata?.labels ?? {};
        for (const label of had.filter((each) => !Object.hasOwn(has, each)))
          expect(Object.keys(patched.metadata.labels ?? {})).not.to.include(label);
      }),
    );
  });
});

describe('whatever namespaces, labels and selectors there are', () => {
  it('exactly those that match and are not being deleted are to have a RegistryToken', () => {
    const labels = fc.dictionary(fc.constantFrom('env', 'team'), fc.constantFrom('a', 'b'));
    const expression = fc.oneof(
      fc.record({
        key: fc.constantFrom('env', 'team'),
        operator: fc.constantFrom('In' as const, 'NotIn' as const),
        values: fc.subarray(['a', 'b'], { minLength: 1 }),
      }),
      fc.record({
        key: fc.constantFrom('env', 'team'),
        operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
      }),
    );
    const selector = fc.record({
      matchLabels: labels,
      matchExpressions: fc.array(expression, { maxLength: 2 }),
    });
    fc.assert(
      fc.property(selector, labels, fc.boolean(), fc.boolean(), (namespaceSelector, has, ends, isThere) => {
        const parent = aClusterToken({ spec: { namespaceSelector, template: {} } });
        const namespace = aNamespace('team', has, ends);
        const matches = isMatching(parent, namespace);
        if (ends) expect(matches).to.equal(false);
        const action = decide(parent, namespace, isThere ? aChild(parent) : undefined);
        const expected = isThere ? (matches || ends ? 'none' : 'remove') : matches ? 'create' : 'none';
        expect(action).to.equal(expected);
      }),
    );
  });
});

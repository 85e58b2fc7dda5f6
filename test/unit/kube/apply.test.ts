import { expect } from 'chai';
import * as fc from 'fast-check';
import { holds } from '../../../src/kube/apply.ts';

describe('whether an apply would change anything', () => {
  const owner = { apiVersion: 'v1', kind: 'Thing', name: 'a', uid: 'u1' };
  const other = { ...owner, name: 'b', uid: 'u2' };
  const cases: [string, unknown, unknown, boolean][] = [
    ['everything is there', { a: 1, b: 2 }, { a: 1 }, true],
    ['a value differs', { a: 1 }, { a: 2 }, false],
    ['a field is missing', {}, { a: 1 }, false],
    [
      'a nested field is missing',
      { metadata: { labels: { x: '1' } } },
      { metadata: { labels: { y: '1' } } },
      false,
    ],
    ['an empty map is missing', { metadata: {} }, { metadata: { labels: {} } }, true],
    ['an undefined field is missing', {}, { a: undefined }, true],
    ['a list has one more', { list: [1, 2] }, { list: [1] }, false],
    ['a list is the same', { list: [{ a: 1 }] }, { list: [{ a: 1 }] }, true],
    ['a map is text', { a: 'text' }, { a: { b: 1 } }, false],
    [
      'there is another owner too',
      { metadata: { ownerReferences: [other, owner] } },
      { metadata: { ownerReferences: [owner] } },
      true,
    ],
    [
      'the owner is another',
      { metadata: { ownerReferences: [other] } },
      { metadata: { ownerReferences: [owner] } },
      false,
    ],
    [
      'the server defaulted a field of the owner',
      { ownerReferences: [{ ...owner, controller: true }] },
      { ownerReferences: [owner] },
      true,
    ],
    [
      'there is another finalizer too',
      { metadata: { finalizers: ['x', 'y'] } },
      { metadata: { finalizers: ['y'] } },
      true,
    ],
    ['the finalizer is missing', { metadata: {} }, { metadata: { finalizers: ['y'] } }, false],
  ];
  for (const [when, live, applied, expected] of cases) {
    it(`${expected ? 'nothing' : 'something'}, when ${when}`, () =>
      expect(holds(live, applied)).to.equal(expected));
  }

  it('an object always holds itself, and more than itself does too', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (object, extra) => {
        expect(holds(object, object)).to.equal(true);
        expect(holds({ ...object, 'an extra field': extra }, object)).to.equal(true);
      }),
    );
  });
});

import { expect } from 'chai';
import { isAnnotationKey, isLabelKey, isLabelValue, isObjectName } from '../../../src/api/syntax/metadata.ts';

function table(check: (text: string) => boolean, good: readonly string[], bad: readonly string[]): void {
  for (const text of good) it(`takes ${show(text)}`, () => expect(check(text)).to.be.true);
  for (const text of bad) it(`refuses ${show(text)}`, () => expect(check(text)).to.be.false);
}

const show = (text: string): string =>
  text.length > 40 ? `${text.length} characters` : JSON.stringify(text);

describe('names of objects', () => {
  table(
    isObjectName,
    ['a', 'a-b.c', '0', 'a'.repeat(253)],
    ['', 'A', 'a..b', '.a', 'a.', '-a', 'a-', 'a_b', 'a/b', 'ä', 'a\n', 'a'.repeat(254)],
  );
});

describe('keys of labels', () => {
  table(
    isLabelKey,
    ['a', 'A_b.c-d', 'example.com/a', `${'a'.repeat(253)}/${'b'.repeat(63)}`],
    [
      '',
      '/',
      '/a',
      'a/',
      'a/b/c',
      'Example.com/a',
      '_a',
      '__proto__',
      'a b',
      'a\n',
      'b'.repeat(64),
      `${'a'.repeat(254)}/b`,
    ],
  );
});

describe('keys of annotations', () => {
  table(isAnnotationKey, ['a', 'Example.com/A'], ['', 'a/', 'a b', 'a/b/c']);
});

describe('values of labels', () => {
  table(
    isLabelValue,
    ['', 'a', 'A_b.c-9', 'a'.repeat(63)],
    ['-', 'a b', 'a/b', 'a.', 'ü', 'a\n', 'a'.repeat(64)],
  );
});

import { expect } from 'chai';
import { array, assert, property, string } from 'fast-check';
import { warningsOf } from '../../../src/kube/transport/warnings.ts';

/** A header as undici gives it. */
const received = (header: string): string => Buffer.from(header).toString('latin1');

describe('warnings of an API server', () => {
  const rows: [title: string, header: string | string[] | undefined, texts: string[]][] = [
    ['none without the header', undefined, []],
    ['the text of one', '299 - "spec.lifetime is long"', ['spec.lifetime is long']],
    ['each of several headers', ['299 - "one"', '299 - "two"'], ['one', 'two']],
    ['each of a header that holds several', '299 - "one", 299 server "two"', ['one', 'two']],
    [
      'quotes, commas and backslashes in the text',
      '299 - "a \\"b\\", 299 - c \\\\ d"',
      ['a "b", 299 - c \\ d'],
    ],
    ['one that has a date', '299 - "old" "Sat, 25 Aug 2012 23:34:45 GMT"', ['old']],
    ['none that a cache adds', '110 cache "response is stale"', []],
    ['none without a text', '299 - "", 299 - "  "', []],
    ['none that is cut short', '299 - "no end', []],
  ];
  for (const [title, header, texts] of rows)
    it(`are ${title}`, () => {
      expect(warningsOf(header)).to.deep.equal(texts);
    });

  it('are whatever text is quoted', () => {
    const text = string({ unit: 'grapheme', minLength: 1 }).filter((each) => each.trim() === each);
    const quote = (each: string): string => `299 - "${each.replaceAll(/["\\]/g, '\\$&')}"`;
    assert(
      property(
        array(
          text.filter((each) => !/[\n\r]/.test(each)),
          { minLength: 1 },
        ),
        (texts) => {
          expect(warningsOf(texts.map(quote).map(received))).to.deep.equal(texts);
          expect(warningsOf(received(texts.map(quote).join(', ')))).to.deep.equal(texts);
        },
      ),
    );
  });
});

import { expect } from 'chai';
import * as fc from 'fast-check';
import { RowSplitter } from '../../../src/common/row-splitter.ts';

/** What is left of a document that arrives in chunks of these sizes, the last of them over and over. */
function split(document: string | Buffer, sizes: readonly number[] = [7]): RowSplitter {
  const splitter = new RowSplitter({ key: 'tokens', select: (row) => row });
  const bytes = Buffer.from(document);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[Math.min(turn, sizes.length - 1)] ?? 1;
    splitter.take(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return splitter;
}

const frameOf = (splitter: RowSplitter): unknown => JSON.parse(splitter.frame.toString());

describe('RowSplitter', () => {
  it('hands over each row of the array and keeps the rest', () => {
    const splitter = split(
      '{"before": [{"a": 1}], "tokens": [{"_id": "a"}, {"_id": "b"}], "after": {"tokens": [{}]}}',
    );
    expect(splitter.rows).to.deep.equal({ count: 2, kept: [{ _id: 'a' }, { _id: 'b' }] });
    expect(frameOf(splitter)).to.deep.equal({
      before: [{ a: 1 }],
      tokens: [{}, {}],
      after: { tokens: [{}] },
    });
  });

  it('keeps only what is selected', () => {
    const splitter = new RowSplitter({ key: 'tokens', select: (row) => (row as { keep?: string }).keep });
    splitter.take(Buffer.from('{"tokens":[{"keep":"x"},{},{}]}'));
    expect(splitter.rows).to.deep.equal({ count: 3, kept: ['x'] });
  });

  it('finds the rows of any document, however it is cut', () => {
    const document = fc.record({
      tokens: fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
      [',"tokens":[{']: fc.jsonValue(),
      '"tokens"': fc.array(fc.object()),
      other: fc.jsonValue(),
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    fc.assert(
      fc.property(document, fc.constantFrom(0, 2), sizes, (value, indent, chunks) => {
        const text = JSON.stringify(value, undefined, indent);
        const splitter = split(text, chunks);
        const parsed = JSON.parse(text) as { tokens: unknown[] };
        expect(splitter.rows).to.deep.equal({ count: parsed.tokens.length, kept: parsed.tokens });
        expect(frameOf(splitter)).to.deep.equal({ ...parsed, tokens: parsed.tokens.map(() => ({})) });
      }),
    );
  });

  const broken = [
    '{"tokens":[{"a":1}',
    '{"tokens":[{"a":1},]}',
    '{"tokens":[{"a":1}{"a":1}]}',
    '{"tokens":[{"a":1}]}}',
    '{"tokens":[5{"a":1}]}',
    '{"tokens":[{"a":1}5]}',
    '{"tokens":[-{"a":1}]}',
    '{"tokens":[1e{"a":1}]}',
    '{"tokens":[{a:1}]}',
    '{"tokens":[{"a":1}]',
    '{"tokens":[{"a":"1]}',
  ];
  for (const text of broken) {
    it(`takes ${text} for no JSON`, () => {
      const splitter = split(text);
      expect(() => splitter.flaw ?? frameOf(splitter)).to.satisfy((read: () => unknown) => {
        try {
          return read() === 'is not JSON';
        } catch (error) {
          return error instanceof SyntaxError;
        }
      });
    });
  }

  const tooLong: [string, Iterable<string>][] = [
    ['a row of more than a mebibyte', ['{"tokens":[{"a":"', 'x'.repeat(2 ** 20), '"}]}']],
    ['more than 4 MiB around the rows', ['{"other":"', 'x'.repeat(2 ** 22), '"}']],
    ['more than 250,000 rows', ['{"tokens":[', '{},'.repeat(250_000), '{}]}']],
  ];
  for (const [what, parts] of tooLong) {
    it(`gives up at ${what}`, () => {
      const splitter = new RowSplitter({ key: 'tokens', select: () => undefined });
      for (const part of parts) splitter.take(Buffer.from(part));
      expect(splitter.flaw).to.equal('is too long');
    });
  }
});

import { expect } from 'chai';
import { parse } from 'yaml';
import { age, humanDuration, when } from '../../../src/cli/output/human-time.ts';
import { renderListing, renderObject, shown, type Listing } from '../../../src/cli/output/listing.ts';
import { table } from '../../../src/cli/output/table.ts';
import { renderTree } from '../../../src/cli/output/tree.ts';
import { painter, Progress } from '../../../src/cli/terminal.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Row {
  name: string;
  note: string;
}

const listing = (...rows: Row[]): Listing<Row> => ({
  columns: [
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'OK', cell: () => 'y' },
    { header: 'NOTE', cell: ({ note }) => note, wide: true },
  ],
  rows,
  object: ({ name }) => ({ kind: 'Row', name }),
  name: ({ name }) => `row/${name}`,
});

describe('output of the plugin', () => {
  it('a table is aligned as kubectl aligns it: three blanks between columns, six characters at least, nothing behind the last', () => {
    const rows = [
      { name: 'a', note: 'first' },
      { name: 'a-longer-name', note: '' },
    ];
    expect(renderListing(listing(...rows), 'wide')).to.equal(
      'NAME            OK    NOTE\na               y     first\na-longer-name   y     <none>\n',
    );
    expect(renderListing(listing(...rows), 'table')).to.equal(
      'NAME            OK\na               y\na-longer-name   y\n',
    );
  });

  it('a table shows no control characters of a cell, and cuts it when it is very long', () => {
    const text = table([{ header: 'H', cell: (cell: string) => cell }], ['a\u001b[31m\nb', 'x'.repeat(5000)]);
    expect(text.split('\n')[1]).to.equal('a [31m b');
    expect(text).to.have.lengthOf.below(400);
  });

  it('no rows are no text, an empty list in JSON and YAML', () => {
    expect(renderListing(listing(), 'table')).to.equal('');
    expect(renderListing(listing(), 'name')).to.equal('');
    expect(JSON.parse(renderListing(listing(), 'json'))).to.deep.include({ kind: 'List', items: [] });
    expect(parse(renderListing(listing(), 'yaml'))).to.deep.include({ kind: 'List', items: [] });
  });

  it('-o name gives a line for each row', () => {
    const rows = ['a', 'b'].map((name) => ({ name, note: '' }));
    expect(renderListing(listing(...rows), 'name')).to.equal('row/a\nrow/b\n');
  });

  it('JSON and YAML say the same', () => {
    const object = { a: [1, { b: 'x: y' }], c: 'no' };
    expect(JSON.parse(renderObject(object, 'json'))).to.deep.equal(object);
    expect(parse(renderObject(object, 'yaml'))).to.deep.equal(object);
  });

  it('an object is shown without its managed fields, as kubectl shows it', () => {
    const metadata = {
      name: 'x',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '',
      managedFields: [{}],
    };
    expect(shown({ apiVersion: 'v1', kind: 'Pod', metadata }).metadata).to.not.have.property('managedFields');
  });

  it('a tree draws what hangs below each branch', () => {
    const below = [{ text: 'one', below: [{ text: 'deep' }] }, { text: 'two' }];
    expect(renderTree({ text: 'root', below })).to.equal('root\n├─ one\n│  └─ deep\n└─ two\n');
  });

  // apimachinery, util/duration/duration_test.go
  for (const [milliseconds, text] of [
    [-5000, '<invalid>'],
    [-1000, '0s'],
    [1000, '1s'],
    [70_000, '70s'],
    [190_000, '3m10s'],
    [70 * MINUTE, '70m'],
    [47 * HOUR, '47h'],
    [49 * HOUR, '2d1h'],
    [(8 * 24 + 2) * HOUR, '8d'],
    [367 * DAY, '367d'],
    [(365 * 2 + 25) * DAY, '2y25d'],
    [(365 * 8 + 2) * DAY, '8y'],
  ] as const)
    it(`a duration of ${milliseconds} ms is told as ${text}`, () => {
      expect(humanDuration(milliseconds)).to.equal(text);
    });

  it('a time is told with how far it is from now, and an age by how long ago', () => {
    const now = Date.UTC(2026, 0, 1, 12);
    expect(when('2026-01-01T20:00:00Z', now)).to.equal('2026-01-01T20:00:00Z (in 8h)');
    expect(when('2026-01-01T11:30:00Z', now)).to.equal('2026-01-01T11:30:00Z (30m ago)');
    expect(when('soon', now)).to.equal('soon');
    expect(age('2026-01-01T11:30:00Z', now)).to.equal('30m');
    expect(age(undefined, now)).to.equal('');
  });

  it('text is painted only where colours are shown', () => {
    expect(painter({ colour: true })('red', 'x')).to.equal('\u001b[31mx\u001b[0m');
    expect(painter({ colour: false })('red', 'x')).to.equal('x');
  });

  const progressOf = (live: boolean): string => {
    let said = '';
    const tell = (text: string): void => void (said += text);
    const progress = new Progress({ write: () => undefined, tell, colour: false, live });
    for (const line of ['1 of 2', '1 of 2', '2 of 2']) progress.report(line);
    progress.end();
    return said;
  };

  it('progress on a terminal is one line that is taken away at the end', () => {
    expect(progressOf(true)).to.equal('\r\u001b[K1 of 2\r\u001b[K2 of 2\r\u001b[K');
  });

  it('progress elsewhere is a line for each change', () => {
    expect(progressOf(false)).to.equal('1 of 2\n2 of 2\n');
  });
});

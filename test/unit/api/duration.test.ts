import { expect } from 'chai';
import * as fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../src/api/syntax/duration.ts';

describe('durations', () => {
  const readings: [string, number][] = [
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['1h0m5s', 3_605_000],
    ['90m', 5_400_000],
    ['45s', 45_000],
    ['0s', 0],
    ['007s', 7_000],
  ];
  for (const [text, milliseconds] of readings) {
    it(`reads ${text}`, () => expect(parseDuration(text)).to.equal(milliseconds));
  }

  const nonsense = [
    [
      '',
      'h',
      '1',
      '1d',
      '1H',
      '-1h',
      '+1h',
      '1.5h',
      '1e3s',
      ' 1h',
      '1h ',
      '1h\n',
      '1m1h',
      '1h1h',
      'Never',
      '１h',
    ],
    ['500ms', '1h30', 'PT1H', `${'9'.repeat(20)}h`, `${'9'.repeat(400)}s`],
  ].flat();
  for (const text of nonsense) {
    it(`refuses ${JSON.stringify(text.slice(0, 24))}`, () => expect(parseDuration(text)).to.be.undefined);
  }

  const writings: [number, string][] = [
    [0, '0s'],
    [499, '0s'],
    [500, '1s'],
    [59_500, '1m'],
    [3_599_999, '1h'],
    [90_061_000, '25h1m1s'],
    [-90_000, '-1m30s'],
  ];
  for (const [milliseconds, text] of writings) {
    it(`writes ${milliseconds} ms as ${text}`, () => expect(formatDuration(milliseconds)).to.equal(text));
  }

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000))).to.equal(seconds * 1000);
      }),
    );
  });
});

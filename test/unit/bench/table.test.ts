import { expect } from 'chai';
import { comparison, counts, figure, render, spread, summary } from '../../../bench/report/table.ts';

describe('figure', () => {
  for (const [value, text] of [
    [0.5914, '0.591'],
    [4.567, '4.57'],
    [26.54, '26.5'],
    [259.4, '259'],
    [10_000, '10000'],
    [0, '0.00'],
    [NaN, '-'],
  ] as const)
    it(`writes ${value} as ${text}`, () => {
      expect(figure(value)).to.equal(text);
    });
});

describe('spread', () => {
  it('gives the middle of several rounds and how far apart they are', () => {
    expect(spread([10, 30, 20])).to.equal('20.0 (10.0 to 30.0)');
  });

  it('gives the figure of one round alone', () => {
    expect(spread([10])).to.equal('10.0');
  });
});

describe('comparison', () => {
  it('sets each round of the operator against the floor of that round', () => {
    const rounds = [
      { floor: { rate: 40 }, operator: { rate: 20 } },
      { floor: { rate: 20 }, operator: { rate: 20 } },
    ];
    expect(comparison('burst', ['rate'], rounds).rows).to.deep.equal([
      ['rate', '30.0 (20.0 to 40.0)', '20.0 (20.0 to 20.0)', '0.750 (0.500 to 1.00)'],
    ]);
  });
});

describe('summary', () => {
  it('gives the figures in the order asked for', () => {
    expect(summary('idle', ['b', 'a'], [{ a: 1, b: 2 }]).rows).to.deep.equal([
      ['b', '2.00'],
      ['a', '1.00'],
    ]);
  });
});

describe('counts', () => {
  it('gives means over rounds and objects, and a dash for what one side never asked', () => {
    const floor = [new Map([['PATCH', 20]])];
    const operator = [new Map([['PATCH', 20]]), new Map([['GET', 10]])];
    expect(counts('calls', { floor, operator }, 10).rows).to.deep.equal([
      ['GET', '-', '0.500'],
      ['PATCH', '2.00', '1.00'],
    ]);
  });
});

describe('render', () => {
  it('sets columns under their headings', () => {
    const table = {
      title: 'burst',
      headings: ['', 'floor'],
      rows: [
        ['rate', '9.00'],
        ['memory', '123456'],
      ],
    };
    expect(render(table).split('\n')).to.deep.equal([
      'burst',
      '           floor',
      '  rate      9.00',
      '  memory  123456',
    ]);
  });
});

import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { marked, mutated, type Mutant } from '../../mutation/mutant.ts';

const SOURCE = 'if (a && b) { go(); stop(); }';

function aMutant(of: string, replacement: string, more: Partial<Mutant> = {}): Mutant {
  const start = SOURCE.indexOf(of);
  return {
    id: 0,
    file: 'a.ts',
    line: 1,
    start,
    end: start + of.length,
    replacement,
    shape: 'expression',
    ...more,
  };
}

/** What is reached of a source with marks when it runs. */
function reached(source: string, a: boolean, b: boolean): number[] {
  const ids: number[] = [];
  const calls: string[] = [];
  const mark = (id: number): number => ids.push(id);
  const [go, stop] = ['go', 'stop'].map((name) => () => calls.push(name));
  runInNewContext(source, { a, b, mark, go, stop });
  expect(calls).to.deep.equal(a && b ? ['go', 'stop'] : []);
  return ids;
}

describe('mutants', () => {
  it('replace one piece of the source', () => {
    expect(mutated(SOURCE, aMutant('a && b', '(a || b)'))).to.equal('if ((a || b)) { go(); stop(); }');
  });

  it('leave the source as it does where only marks are set', () => {
    const mutants = [
      aMutant('a && b', '(a || b)', { id: 1 }),
      aMutant('a && b', '(a)', { id: 2 }),
      aMutant('b', 'false', { id: 3 }),
      aMutant('{ go(); stop(); }', '{}', { id: 4, shape: 'block' }),
      aMutant('go();', ';', { id: 5, shape: 'statement' }),
      aMutant('go()', 'undefined', { id: 6 }),
    ];
    const source = marked(SOURCE, mutants, 'mark');
    expect(reached(source, false, true)).to.have.members([1, 2]);
    expect(reached(source, true, false)).to.have.members([1, 2, 3]);
    expect(reached(source, true, true)).to.have.members([1, 2, 3, 4, 5, 6]);
  });
});

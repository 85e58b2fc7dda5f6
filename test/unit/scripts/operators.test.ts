import { join } from 'node:path';
import { expect } from 'chai';
import { Compiler } from '../../mutation/compiler.ts';
import { faultsOf } from '../../mutation/operators.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Any file of the project: its text is replaced. */
const FILE = 'src/token/sweep/tag.ts';

describe('faults of a source file', () => {
  let compiler: Compiler;
  before(() => (compiler = new Compiler(ROOT)));
  after(() => compiler.close());

  /** The file's text with each of its faults. */
  function faults(source: string): string[] {
    return compiler.with(FILE, source, (tree) =>
      faultsOf(tree, (expression) => compiler.typeOf(expression)).map(
        ({ start, end, replacement }) => source.slice(0, start) + replacement + source.slice(end),
      ),
    );
  }

  const cases: [what: string, source: string, faults: string[]][] = [
    ['boundaries', 'x = a < b;', ['x = (a <= b);', 'x = (a >= b);', ';']],
    ['conditions', 'x = a && b;', ['x = (a || b);', 'x = (a);', 'x = (b);', ';']],
    ['branches', 'if (a) b();', ['if ((true)) b();', 'if ((false)) b();', 'if ((!(a))) b();', 'if (a) ;']],
    ['waiting', 'await a();', [';', 'void a();']],
    [
      'constants',
      'x(60_000, 0, true);',
      [';', 'x((0), 0, true);', 'x((120000), 0, true);', 'x(60_000, (1), true);', 'x(60_000, 0, (false));'],
    ],
    ['elements', 'x = [a, ...b];', [';', 'x = ([...b]);', 'x = ([a]);']],
    ['properties', 'x = { a: y, ...b };', [';', 'x = ({...b});', 'x = ({a: y});']],
    [
      'results',
      'const x = () => String(1 - a);',
      [
        "const x = () => ('');",
        'const x = () => String((1 + a));',
        'const x = () => String((0) - a);',
        'const x = () => String((2) - a);',
      ],
    ],
  ];
  for (const [what, source, expected] of cases) {
    it(`are found in ${what}`, () => {
      expect(faults(source)).to.have.members(expected);
    });
  }

  const texts: [what: string, source: string][] = [
    ['log lines', "logger.warn({ a: 1 }, 'it went wrong');"],
    ['log lines of an object', 'this.#options.logger.info(`${a} of ${b}`);'],
    ['types', 'type A = { a: 1 | 2 };'],
    ['imports', "import { a } from './a.ts';"],
  ];
  for (const [what, source] of texts) {
    it(`are not looked for in ${what}`, () => {
      expect(faults(source)).to.deep.equal([]);
    });
  }

  it('keep what ?. skips together, and what is assigned to', () => {
    expect(faults('x = a?.filter(b).c;')).to.deep.equal([';']);
    expect(faults('[a, b] = c;')).to.deep.equal([';']);
  });

  it('change no long list of constants', () => {
    expect(faults('x = [0.5, 1, 2, 5, 10, 20];')).to.deep.equal([';']);
  });

  it('change no text for people', () => {
    const source = 'x(`${a ? 1 : 2} of them`, "a text", { message: a && b });';
    expect(faults(source)).to.deep.equal([';']);
  });
});

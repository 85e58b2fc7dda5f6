import { expect } from 'chai';
import {
  backEndImports,
  clockReadings,
  conditionReadings,
  inexactDependencies,
  looseActions,
  oddLimits,
  oversizedDefinitions,
  tooLong,
  type SourceFile,
} from '../../../scripts/house-rules.ts';

describe('house rules', () => {
  it('find files over 500 lines', () => {
    const files = [
      { path: 'a.ts', text: 'x\n'.repeat(500) },
      { path: 'b.ts', text: 'x\n'.repeat(501) },
    ];
    expect(tooLong(files)).to.deep.equal(['b.ts: 501 lines, at most 500; split it by what it does']);
  });

  const clocks: [string, boolean][] = [
    ['const now = new Date();', true],
    ['const now = new Date( ).getTime();', true],
    ['log(Date());', true],
    ['new Date(milliseconds).toISOString()', false],
    ['Date.parse(text)', false],
    ['lastDate()', false],
    ['object.Date()', false],
  ];
  for (const [line, found] of clocks) {
    it(`${found ? 'find' : 'allow'} ${line}`, () => {
      expect(clockReadings([{ path: 'a.ts', text: `\n${line}\n` }])).to.deep.equal(
        found ? ['a.ts:2: take the time from a Clock'] : [],
      );
    });
  }

  const commit = '0123456789abcdef0123456789abcdef01234567';
  const actions: [string, boolean][] = [
    ['      - uses: actions/checkout@v7', true],
    [`        uses: actions/checkout@${commit}`, true],
    [`      - uses: actions/checkout@${commit} # v7`, true],
    [`      - uses: actions/checkout@${commit} # v7.0.1`, false],
    ['    uses: ./.github/workflows/ci.yaml', false],
  ];
  for (const [line, found] of actions) {
    it(`${found ? 'find' : 'allow'} ${line.trim()}`, () => {
      const complaints = looseActions([{ path: 'a.yaml', text: `on: push\n${line}\n` }]);
      expect(complaints).to.have.length(found ? 1 : 0);
    });
  }

  it('find limits that are not called MAX_… or MIN_…', () => {
    const odd = ['LONGEST_WAIT', 'MOST_NAMES'];
    const text = ['MAX_PAUSE', ...odd].map((name) => `export const ${name} = MAX_NAMES;\n`).join('');
    expect(oddLimits([{ path: 'a.ts', text }])).to.deep.equal(
      odd.map((name) => `a.ts: ${name}; limits are MAX_… and MIN_…`),
    );
  });

  const readings: [string, boolean][] = [
    ['const [ready] = token.status?.conditions ?? [];', true],
    ['const { secretRef, conditions } = token.status;', true],
    ["findCondition(list, 'Ready')", true],
    ["import type { Reason } from '../api/conditions.ts';", false],
    ['const { preconditions } = options;', false],
    [' * The conditions of a RegistryToken.', false],
    ['conditionsOf(facts)', false],
  ];
  for (const [line, found] of readings) {
    it(`${found ? 'find' : 'allow'} ${line}`, () => {
      expect(conditionReadings([{ path: 'src/a.ts', text: `\n${line}\n` }])).to.deep.equal(
        found ? ["src/a.ts:2: decide by the status' other fields, not by its conditions"] : [],
      );
    });
  }
  it('allow conditions to be read where they are merged or shown', () => {
    const text = 'status.conditions';
    const files = ['src/api/conditions.ts', 'src/ops/metrics/token-state.ts'];
    expect(conditionReadings(files.map((path) => ({ path, text })))).to.deep.equal([]);
  });

  it('find imports of a back end from anywhere but the table of back ends', () => {
    const importing = (path: string, specifier: string, how = 'import { x } from'): SourceFile => ({
      path,
      text: `${how} '${specifier}';\n`,
    });
    const table = [importing('src/registry/backends.ts', './harbor/harbor.ts')];
    const allowed = [
      importing('src/registry/harbor/a.ts', './harbor.ts'),
      importing('src/registry/harbor/b.ts', '../http/answer.ts'),
      importing('src/controller/c.ts', '../registry/port.ts'),
    ];
    expect(backEndImports([...table, ...allowed])).to.deep.equal([]);
    const forbidden = [
      importing('src/controller/token/d.ts', '../../registry/harbor/harbor.ts', 'import type { X } from'),
      importing('src/registry/ecr/e.ts', '../harbor/robots.ts', 'export * from'),
      importing('src/main.ts', './registry/harbor/harbor.ts', 'await import('),
    ];
    expect(backEndImports([...table, ...allowed, ...forbidden])).to.deep.equal([
      'src/controller/token/d.ts: imports src/registry/harbor/harbor.ts; only src/registry/backends.ts imports a back end',
      'src/registry/ecr/e.ts: imports src/registry/harbor/robots.ts; only src/registry/backends.ts imports a back end',
      'src/main.ts: imports src/registry/harbor/harbor.ts; only src/registry/backends.ts imports a back end',
    ]);
  });

  it('find definitions of 100 kB and more', () => {
    const files = [
      { path: 'a.yaml', text: 'é'.repeat(49_999) },
      { path: 'b.yaml', text: 'é'.repeat(50_000) },
    ];
    expect(oversizedDefinitions(files)).to.deep.equal(['b.yaml: 100000 bytes, must stay under 100000']);
  });

  it('find dependencies that are ranges', () => {
    const manifest = {
      dependencies: { a: '1.2.3', b: '^1.2.3' },
      devDependencies: { c: '1.2.3-rc.1', d: '*' },
      optionalDependencies: { e: 'file:../e' },
    };
    expect(inexactDependencies(manifest)).to.deep.equal([
      'package.json: dependencies.b is ^1.2.3, not one version',
      'package.json: devDependencies.d is *, not one version',
      'package.json: optionalDependencies.e is file:../e, not one version',
    ]);
    expect(inexactDependencies({})).to.deep.equal([]);
  });
});

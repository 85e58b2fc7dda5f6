import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

interface Report {
  diagnostics: { filename: string; code: string }[];
}

const ROOT = new URL('../../../', import.meta.url).pathname;

/** Lints made-up files under the project's rules, and says which broke one of the restrictions. */
async function offenders(files: Record<string, string>): Promise<Set<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'lint-rules-'));
  try {
    await cp(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
    const args = [oxlint, '--format=json', '.'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(
      (failed: { stdout: string }) => failed,
    );
    const { diagnostics } = JSON.parse(stdout) as Report;
    const restrictions = diagnostics.filter(({ code }) => code.includes('no-restricted-'));
    return new Set(restrictions.map(({ filename }) => filename));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Which room may import which: `value`, only its `type`s, or nothing of it. */
const DIRECTION: Record<string, Record<string, 'value' | 'type'>> = {
  common: {},
  api: { common: 'value' },
  kube: { common: 'value', api: 'value' },
  registry: { common: 'value', api: 'value' },
  token: { common: 'value', api: 'value' },
  config: { common: 'value', api: 'value' },
  controller: { common: 'value', api: 'value', kube: 'value', registry: 'value', token: 'value' },
  ops: { common: 'value', api: 'value', config: 'type', kube: 'type', registry: 'type' },
  cli: { common: 'value', api: 'value', kube: 'value', registry: 'value', token: 'value' },
};

const importing = (path: string): string => `import { x } from '${path}';\nexport const y = x;\n`;

describe('lint rules', () => {
  it('let imports run one way between the rooms of src', async () => {
    const files: Record<string, string> = {};
    const forbidden: string[] = [];
    for (const [room, allowed] of Object.entries(DIRECTION)) {
      for (const other of Object.keys(DIRECTION).filter((name) => name !== room)) {
        const cases = {
          type: `import type { x } from '../${other}/part.ts';\nexport type y = x;\n`,
          value: `import { x } from '../${other}/part.ts';\nexport const y = x;\n`,
          reexport: `export * from '../${other}/part.ts';\n`,
          dynamic: `export const y = await import('../${other}/part.ts');\n`,
        };
        for (const [kind, text] of Object.entries(cases)) {
          const path = `src/${room}/${kind}-of-${other}.ts`;
          files[path] = text;
          if (!allowed[other] || (allowed[other] === 'type' && kind !== 'type')) forbidden.push(path);
        }
      }
    }
    expect([...(await offenders(files))].sort()).to.deep.equal(forbidden.sort());
  });

  it('know a room from its subfolders, and a file of its name', async () => {
    const found = await offenders({
      'src/kube/deep/below/a.ts': importing('../../../registry/port.ts'),
      'src/kube/deep/b.ts': importing('../registry-like.ts'),
      'src/token/c.ts': importing('../config.ts'),
      'src/config/config.ts': importing('./kube/part.ts'),
      'src/main.ts': importing('./kube/part.ts'),
    });
    expect([...found].sort()).to.deep.equal([
      'src/config/config.ts',
      'src/kube/deep/below/a.ts',
      'src/token/c.ts',
    ]);
  });

  it('keep src apart from tests and tools, and let the sandbox use src', async () => {
    const found = await offenders({
      'src/main.ts': importing('../sandbox/main.ts'),
      'src/kube/a.ts': importing('../../test/support/a.ts'),
      'src/ops/b.ts': importing('../../scripts/b.ts'),
      'src/cli/c.ts': importing('../../bench/c.ts'),
      'sandbox/d.ts': importing('../src/main.ts'),
      'sandbox/e.ts': importing('../test/support/e.ts'),
      'test/unit/f.ts': importing('../../sandbox/f.ts'),
    });
    expect([...found].sort()).to.deep.equal([
      'sandbox/e.ts',
      'src/cli/c.ts',
      'src/kube/a.ts',
      'src/main.ts',
      'src/ops/b.ts',
    ]);
  });

  it('let tests have nock from the one file that gives it back', async () => {
    const found = await offenders({
      'test/support/nocked.ts': importing('nock'),
      'test/unit/a.test.ts': importing('nock'),
      'test/unit/b.test.ts': importing('../support/nocked.ts'),
    });
    expect([...found]).to.deep.equal(['test/unit/a.test.ts']);
  });

  it('keep clock, randomness and process out of src, save at its edge', async () => {
    const uses = {
      now: 'export const x = Date.now();',
      random: 'export const x = Math.random();',
      timer: 'setTimeout(() => {}, 1);',
      interval: 'setInterval(() => {}, 1);',
      timeout: 'export const x = AbortSignal.timeout(1);',
      measure: 'export const x = performance.now();',
      process: 'process.exit(1);',
    };
    const inside = Object.entries(uses).map(([name, text]) => [`src/kube/${name}.ts`, text] as const);
    const everything = Object.values(uses).join('\n').replaceAll('export const x = ', '');
    const found = await offenders({
      ...Object.fromEntries(inside),
      'src/common/clock.ts': everything,
      'src/main.ts': everything,
      'src/cli/main.ts': everything,
      'test/a.ts': everything,
    });
    expect([...found].sort()).to.deep.equal(inside.map(([path]) => path).sort());
  });
});

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SecrecyNet } from '../../support/secrecy.ts';

const SECRET = 'hunter2-"quoted"-and-long';
const ROOT = new URL('../../../', import.meta.url).pathname;

function netWith(...secrets: string[]): SecrecyNet {
  const net = new SecrecyNet();
  for (const secret of secrets) net.register(secret);
  return net;
}

describe('secrecy net', () => {
  it('is content with output that holds no secret', () => {
    const net = netWith(SECRET);
    net.record('hunter2- was here\n', 'stdout');
    expect(net.leaks()).to.deep.equal([]);
  });

  const forms: [string, string][] = [
    ['as it is', SECRET],
    ['in JSON', JSON.stringify({ a: SECRET })],
    ['in base64', Buffer.from(SECRET).toString('base64')],
  ];
  for (const [how, text] of forms) {
    it(`finds a secret ${how}`, () => {
      const net = netWith('another secret', SECRET);
      net.record(text, 'stdout');
      expect(net.leaks()).to.have.length(1);
    });
  }

  it('says where, by source, line and test', () => {
    const net = netWith(SECRET);
    net.test = 'first';
    net.record('one\ntwo\n', 'operator');
    net.test = 'second';
    net.record(`three ${SECRET}\n${SECRET}`, 'operator');
    expect(net.leaks()).to.deep.equal([
      { source: 'operator', line: 3, test: 'second' },
      { source: 'operator', line: 4, test: 'second' },
    ]);
  });

  it('finds a secret that was written in two pieces, but not one made of two sources', () => {
    const net = netWith(SECRET);
    net.record(SECRET.slice(0, 10), 'stdout');
    net.record(SECRET.slice(10), 'stderr');
    expect(net.leaks()).to.deep.equal([]);
    net.record(SECRET.slice(10), 'stdout');
    expect(net.leaks()).to.have.length(1);
  });

  it('refuses secrets that could not be told from other text', () => {
    expect(() => netWith('secret')).to.throw(RangeError);
  });

  it('fails the run that printed one, wherever the secret was registered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secrecy-'));
    try {
      const support = JSON.stringify(join(ROOT, 'test/support/secrecy.ts'));
      const test = `
        import { registerSecret, recordOutput } from ${support};
        it('prints it', () => { console.log('this is', 'the-secret'); });
        it('has a child that prints it', () => { recordOutput('the-secret', 'child'); });
        it('knows it', () => { registerSecret('the-secret'); });`;
      await writeFile(join(folder, 'leak.test.ts'), test);
      const { code, output } = await mocha(join(folder, 'leak.test.ts'));
      expect(code).to.equal(1);
      expect(output).to.include('3 passing').and.include('1 failing');
      expect(output).to.match(
        /a secret was printed\s+stdout, line \d+, during: prints it\s+child, line 1, during: has/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('fails the file that printed one where files run side by side, and no other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secrecy-'));
    try {
      const support = JSON.stringify(join(ROOT, 'test/support/secrecy.ts'));
      const test = (name: string, printed: string): string => `
        import { registerSecret, recordOutput } from ${support};
        it('${name}', () => { registerSecret('the-secret'); recordOutput('${printed}', '${name}'); });`;
      await writeFile(join(folder, 'a.test.ts'), test('a leaky one', 'the-secret'));
      await writeFile(join(folder, 'b.test.ts'), test('a tight one', 'nothing'));
      const files = [join(folder, 'a.test.ts'), join(folder, 'b.test.ts')];
      const { code, output } = await mocha('--parallel', '--jobs', '1', ...files);
      expect(code).to.equal(1);
      expect(output).to.include('2 passing').and.include('1 failing');
      expect(output).to.match(/a secret was printed\s+a leaky one, line 1, during: a leaky one/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Runs the project's mocha. */
function mocha(...options: string[]): Promise<{ code: number; output: string }> {
  const args = [join(ROOT, 'node_modules/mocha/bin/mocha.js'), ...options];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
    );
  });
}

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { runCommand } from '../../../sandbox/command.ts';

describe('a command of the sandbox', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'command-'));
    file = join(folder, 'started');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const run = (command: string, signal: AbortSignal): Promise<number> =>
    runCommand(command, { PATH: process.env['PATH'] }, signal, 20);

  it('gives its exit code', async () => {
    expect(await run('exit 3', new AbortController().signal)).to.equal(3);
  });

  it('does not start once all is to end', async () => {
    const reason = new Error('the operator ended');
    const failure = await run('exit 0', AbortSignal.abort(reason)).catch((error: unknown) => error);
    expect(failure).to.equal(reason);
  });

  it('is killed where it does not end when it is told to', async () => {
    const stop = new AbortController();
    const running = run(`trap '' TERM; : > ${file}; while :; do sleep 0.01; done`, stop.signal);
    while (!existsSync(file)) await setTimeout(1);
    stop.abort();
    expect(await running).to.equal(1);
  });

  it('leaves nothing behind that does not end when it is told to', async () => {
    const stubborn = `(trap '' TERM; : > ${file}; while [ -e ${file} ]; do sleep 0.01; done; : > ${file}.end) &`;
    const wait = `while ! [ -e ${file} ]; do sleep 0.01; done`;
    expect(await run(`${stubborn} ${wait}`, new AbortController().signal)).to.equal(0);
    await rm(file);
    await setTimeout(100);
    expect(existsSync(`${file}.end`)).to.equal(false);
  });
});

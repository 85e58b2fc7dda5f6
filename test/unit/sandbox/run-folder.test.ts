import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { claimRunFolder } from '../../../sandbox/run-folder.ts';

describe('the folder of a sandbox', () => {
  let usual: string;
  beforeEach(async () => {
    usual = `${await mkdtemp(join(tmpdir(), 'sandbox-'))}/`;
  });
  afterEach(() => rm(usual, { recursive: true }));
  const claim = (pid: number, ...alive: number[]): ReturnType<typeof claimRunFolder> =>
    claimRunFolder(usual, pid, (each) => alive.includes(each));

  it('is the usual one, for one at a time', async () => {
    const first = await claim(1);
    expect(first.path).to.equal(usual);
    expect((await claim(2, 1)).path).to.equal(`${usual}run-2/`);
    await first.release();
    expect((await claim(3)).path).to.equal(usual);
  });

  it('stays another’s when one ends that has a folder of its own', async () => {
    await claim(1);
    await (await claim(2, 1)).release();
    expect((await claim(3, 1)).path).to.equal(`${usual}run-3/`);
  });

  it('is taken over from one that was killed', async () => {
    await claim(1);
    expect((await claim(2)).path).to.equal(usual);
  });

  it('is taken over from one that was killed before it wrote who it is', async () => {
    await writeFile(`${usual}pid`, '');
    expect((await claim(2)).path).to.equal(usual);
  });

  it('is known to be in use by a process that runs', async () => {
    await claim(process.pid);
    expect((await claimRunFolder(usual, 1)).path).to.equal(`${usual}run-1/`);
  });
});

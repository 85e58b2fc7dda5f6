import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { tar, type Entry } from '../../scripts/image/tar.ts';

const file = (path: string, text = '', mode = 0o644): Entry => ({
  path,
  mode,
  content: { file: Buffer.from(text) },
});

/** What tar makes of an archive: a line per entry. */
function listing(archive: Buffer): string[] {
  const options = { input: archive, env: { TZ: 'UTC', PATH: process.env['PATH'] } };
  return execFileSync('tar', ['--numeric-owner', '--full-time', '-tvf', '-'], options)
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
}

describe('tar', () => {
  it('is read by tar, in the order of paths whatever order they came in', () => {
    const entries: Entry[] = [
      file('b/program', 'x'.repeat(600), 0o755),
      { path: 'b', mode: 0o700, uid: 65532, content: 'folder' },
      { path: 'a', mode: 0o777, content: { link: 'b/program' } },
    ];
    const archive = tar(entries, 86_400);
    expect(listing(archive)).to.deep.equal([
      'lrwxrwxrwx 0/0 0 1970-01-02 00:00:00 a -> b/program',
      'drwx------ 65532/65532 0 1970-01-02 00:00:00 b/',
      '-rwxr-xr-x 0/0 600 1970-01-02 00:00:00 b/program',
    ]);
    expect(tar(entries.toReversed(), 86_400).equals(archive)).to.be.true;
    expect(execFileSync('tar', ['-xOf', '-', 'b/program'], { input: archive }).toString()).to.equal(
      'x'.repeat(600),
    );
  });

  it('takes paths of up to 255 characters', () => {
    const long = `${'folder/'.repeat(20)}${'x'.repeat(90)}`;
    expect(listing(tar([file(long)], 0)).join()).to.include(long);
    expect(() => tar([file('x'.repeat(101))], 0)).to.throw(RangeError, 'too long');
    expect(() => tar([file(`${'folder/'.repeat(40)}x`)], 0)).to.throw(RangeError, 'too long');
    expect(() => tar([{ path: 'a', mode: 0o777, content: { link: 'x'.repeat(101) } }], 0)).to.throw(
      RangeError,
    );
  });
});

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Entry } from './tar.ts';

const NONROOT = 65532;
/** Debian's packages of the libraries that Node loads. */
const PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6'];

const folder = (path: string, mode = 0o755, uid = 0): Entry => ({ path, mode, uid, content: 'folder' });
const text = (path: string, lines: readonly string[]): Entry => ({
  path,
  mode: 0o644,
  content: { file: Buffer.from(lines.map((line) => `${line}\n`).join('')) },
});
const copy = async (path: string, from: string, mode = 0o644): Promise<Entry> => ({
  path,
  mode,
  content: { file: await readFile(from) },
});
const link = (path: string, target: string): Entry => ({ path, mode: 0o777, content: { link: target } });

/**
 * What distroless' Node image has in it, as far as the operator uses it, at the same paths: Node, the libraries it loads from
 * this machine (a Debian), users, licenses. No shell, no package manager, no certificates: Node brings its own.
 * @param node the program, in `bin` of a folder with its LICENSE
 */
export async function debianBase(node: string): Promise<Entry[]> {
  const libraries = await librariesOf(node);
  return [
    ...['etc', 'home', 'nodejs', 'nodejs/bin', 'usr', 'usr/lib', 'usr/lib64', 'var'].map((path) =>
      folder(path),
    ),
    folder('home/nonroot', 0o700, NONROOT),
    folder('tmp', 0o1777),
    link('lib', 'usr/lib'),
    link('lib64', 'usr/lib64'),
    link('var/run', '/run'),
    folder('run'),
    text('etc/passwd', [
      'root:x:0:0:root:/root:/sbin/nologin',
      'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin',
      `nonroot:x:${NONROOT}:${NONROOT}:nonroot:/home/nonroot:/sbin/nologin`,
    ]),
    text('etc/group', ['root:x:0:', 'nobody:x:65534:', `nonroot:x:${NONROOT}:`]),
    text('etc/nsswitch.conf', ['passwd: files', 'group: files', 'hosts: files dns']),
    await copy('etc/os-release', '/etc/os-release'),
    await copy('nodejs/bin/node', node, 0o755),
    await copy('nodejs/LICENSE', join(dirname(node), '..', 'LICENSE')),
    ...(await Promise.all(libraries.map((path) => copy(`usr${path}`, path, 0o755)))),
    ...(await Promise.all(
      PACKAGES.map((name) => copy(`usr/share/doc/${name}/copyright`, `/usr/share/doc/${name}/copyright`)),
    )),
  ];
}

/** Paths of the shared libraries a program loads, its loader included, such as `/lib/x86_64-linux-gnu/libc.so.6`. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [program]);
  return [...stdout.matchAll(/(\/lib\S*) \(0x/g)].map(([, path = '']) => path);
}

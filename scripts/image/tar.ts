/** Something in a file system. */
export interface Entry {
  /** Relative to the root, without a leading or trailing slash. */
  path: string;
  /** Permission bits. */
  mode: number;
  uid?: number;
  content: { file: Buffer } | { link: string } | 'folder';
}

const BLOCK = 512;
const NAME_LENGTH = 100;

/**
 * A tar archive (POSIX.1-1988, "ustar") of the entries, sorted by path: the same entries give the same bytes.
 * @param time of every entry, seconds since 1970
 * @throws RangeError for a path that is too long for the format
 */
export function tar(entries: readonly Entry[], time: number): Buffer {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const blocks = sorted.flatMap((entry) => {
    const content = typeof entry.content === 'object' && 'file' in entry.content ? entry.content.file : null;
    if (!content) return [header(entry, 0, time)];
    return [header(entry, content.length, time), content, Buffer.alloc(-content.length & (BLOCK - 1))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header({ path, mode, uid = 0, content }: Entry, size: number, time: number): Buffer {
  const folder = content === 'folder';
  const [prefix, name] = split(folder ? `${path}/` : path);
  const link = typeof content === 'object' && 'link' in content ? content.link : '';
  if (Buffer.byteLength(link) > NAME_LENGTH) throw new RangeError(`${path}: the link's target is too long`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(uid, 8), 108);
  block.write(octal(uid, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(time, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write(folder ? '5' : link === '' ? '0' : '2', 156);
  block.write(link, 157);
  block.write('ustar\u{0}00', 257);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\u{0} `, 148);
  return block;
}

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\u{0}`;
}

/** A path that is too long for the name's field has its first folders in another. */
function split(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= NAME_LENGTH) return ['', path];
  const slash = path.indexOf('/', path.length - NAME_LENGTH - 1);
  if (slash < 1 || slash > 155 || slash === path.length - 1)
    throw new RangeError(`${path}: too long for tar`);
  return [path.slice(0, slash), path.slice(slash + 1)];
}

import { inflateRawSync } from 'node:zlib';

export interface ZipEntry {
  name: string;
  /** Unpacks it. */
  data: () => Buffer;
}

const END_OF_DIRECTORY = 0x06_05_4b_50;
const END_SIZE = 22;
const DIRECTORY_ENTRY = 0x02_01_4b_50;
const DEFLATED = 8;

/**
 * What a ZIP archive without encryption, under 4 GiB, holds.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3.7, 4.3.12 and 4.3.16
 * @throws Error when it is none
 */
export function zipEntries(archive: Buffer): ZipEntry[] {
  let end = archive.length - END_SIZE;
  while (end >= 0 && archive.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw new Error('this is no ZIP archive');
  const entries: ZipEntry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error('the ZIP archive is damaged');
    const method = archive.readUInt16LE(at + 10);
    const packed = archive.readUInt32LE(at + 20);
    const nameLength = archive.readUInt16LE(at + 28);
    const local = archive.readUInt32LE(at + 42);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    entries.push({ name, data: () => unpack(archive, local, packed, method) });
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

function unpack(archive: Buffer, local: number, packed: number, method: number): Buffer {
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const content = archive.subarray(start, start + packed);
  return method === DEFLATED ? inflateRawSync(content) : content;
}

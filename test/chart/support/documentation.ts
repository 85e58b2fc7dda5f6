import { readFile } from 'node:fs/promises';

/** The block of commands in docs/ that matches. @throws Error when there is none, or several */
export async function documented(document: string, pattern: RegExp): Promise<string> {
  const text = await readFile(new URL(`../../../docs/${document}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```sh\n(.*?)\n```/gs)].map(([, block = '']) => block);
  const [found, ...more] = blocks.filter((block) => pattern.test(block));
  if (found === undefined || more.length > 0)
    throw new Error(`${document} has not one block of commands with ${pattern.source}`);
  return found;
}

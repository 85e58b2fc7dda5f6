import { blocksOf } from '../../support/pages.ts';

/** The block of commands in docs/ that matches. @throws Error when there is none, or several */
export async function documented(document: string, pattern: RegExp): Promise<string> {
  const blocks = (await blocksOf(document)).filter(({ language }) => language === 'sh');
  const [found, ...more] = blocks.map(({ text }) => text.trimEnd()).filter((text) => pattern.test(text));
  if (found === undefined || more.length > 0)
    throw new Error(`${document} has not one block of commands with ${pattern.source}`);
  return found;
}

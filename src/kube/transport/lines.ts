import { MAX_OBJECT } from '../client/answer.ts';
import { KubeError } from '../client/errors.ts';

/**
 * Cuts a stream of UTF-8 bytes into lines, wherever chunks and characters are split. Empty lines are left out, and so is
 * an unfinished line at the end: the connection died within it.
 * @throws KubeError at a line that is longer than any object
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let unfinished: string[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    unfinished.push(first);
    size += first.length;
    if (size > MAX_OBJECT) throw new KubeError('The API server sent a line of a watch that is too long');
    for (const next of rest) {
      const line = unfinished.join('');
      unfinished = [next];
      size = next.length;
      if (line.trim()) yield line;
    }
  }
}

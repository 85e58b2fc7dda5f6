/**
 * Cuts a stream of UTF-8 bytes into lines, wherever chunks and characters are split. Empty lines are left out, and so is
 * an unfinished line at the end: the connection died within it.
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let unfinished: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    unfinished.push(first);
    for (const next of rest) {
      const line = unfinished.join('');
      unfinished = [next];
      if (line.trim()) yield line;
    }
  }
}

/**
 * @returns a signal that aborts when the process is to end: Ctrl-C, its terminal or its supervisor say so, or what reads its output
 * is gone, as `head` that has seen enough, or `tee` that got the same Ctrl-C. A write that fails then would end it at once, and leave
 * behind what it has started.
 */
export function whenToEnd(): AbortSignal {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => ending.abort());
  return ending.signal;
}

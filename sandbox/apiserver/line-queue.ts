/** Lines that one side adds as they come and the other reads one after the other. */
export class LineQueue implements AsyncIterable<string> {
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  push(line: string): void {
    if (this.#ended) return;
    this.#lines.push(line);
    this.#wake?.();
  }

  /** Ends the stream after the lines added so far. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Breaks the stream off at once: reading throws the error. */
  fail(error: Error): void {
    this.#failure = error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const line = this.#lines.shift();
      if (line !== undefined) yield line;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

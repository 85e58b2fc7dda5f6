/** One deliberate fault: a piece of a source file replaced by another. */
export interface Mutant {
  /** Index in the run. */
  id: number;
  /** From the root of the repository. */
  file: string;
  /** From 1. */
  line: number;
  start: number;
  end: number;
  replacement: string;
  shape: Shape;
}

/** How a mark can be set at what is replaced. */
export type Shape = 'expression' | 'statement' | 'block';

/** The source with the fault in it. */
export function mutated(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

/** The source as it is, except that it calls `mark(id)` whenever it gets to where a fault could be. */
export function marked(source: string, mutants: readonly Mutant[], mark: string): string {
  // What begins later, and of two that begin together the inner one, first: earlier places stay where they are.
  const inserts = mutants.flatMap(({ id, start, end, shape }) => {
    const call = `${mark}(${id})`;
    const size = end - start;
    if (shape === 'block') return [{ at: start + 1, order: 0, size, text: `${call};` }];
    const [before, after] = shape === 'statement' ? [`{${call};`, '}'] : [`(${call},`, ')'];
    return [
      { at: start, order: 1, size, text: before },
      { at: end, order: -1, size: -size, text: after },
    ];
  });
  inserts.sort((a, b) => b.at - a.at || b.order - a.order || a.size - b.size);
  return inserts.reduce((text, { at, text: insert }) => text.slice(0, at) + insert + text.slice(at), source);
}

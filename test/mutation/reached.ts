/** Marks reached by what runs now; see loader.ts. */
let current = new Set<number>();

export function reach(id: number): void {
  current.add(id);
}

/** From now on it is another that reaches marks. @returns what is reached by it; grows */
export function reachedFromNow(): ReadonlySet<number> {
  return (current = new Set());
}

/** What was reached so far, when nothing else was begun. */
export function reachedSoFar(): ReadonlySet<number> {
  return current;
}

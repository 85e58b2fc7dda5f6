import { fits } from '../../api/syntax/pattern.ts';
import type { ObjectName } from '../../common/objects.ts';
import { objectKey, parseObjectKey } from '../../kube/client/object-key.ts';

/** What keeps Secrets out of ServiceAccounts, in words. */
export class LinkProblems {
  /** By key of the ServiceAccount. */
  readonly #problems = new Map<string, string>();

  of(serviceAccount: ObjectName): string | undefined {
    return this.#problems.get(objectKey(serviceAccount));
  }

  /**
   * Of those that a pattern stands for one problem, and whether there are more; not how many, which would change with each
   * of thousands.
   */
  ofMany(namespace: string | undefined, pattern: string): string | undefined {
    let first: string | undefined;
    for (const [key, problem] of this.#problems) {
      const known = parseObjectKey(key);
      if (known.namespace !== namespace || !fits(pattern, known.name)) continue;
      if (first !== undefined) return `${first}; other ServiceAccounts of ${pattern} have problems as well`;
      first = problem;
    }
    return first;
  }

  /** @param problem undefined: there is none @returns whether that is news */
  set(serviceAccount: ObjectName, problem: string | undefined): boolean {
    const key = objectKey(serviceAccount);
    if (this.#problems.get(key) === problem) return false;
    if (problem === undefined) this.#problems.delete(key);
    else this.#problems.set(key, problem);
    return true;
  }
}

import { fits } from '../../api/syntax/pattern.ts';
import type { ObjectName } from '../../common/objects.ts';
import { objectKey, parseObjectKey } from '../../kube/client/object-key.ts';

/** What keeps Secrets out of ServiceAccounts, in words. */
export class LinkProblems {
  /** By key of the ServiceAccount. */
  readonly #problems = new Map<string, string>();
  /** Keys of ServiceAccounts that RegistryTokens name and that do not exist: those wait for them, a pattern waits for none. */
  readonly #awaited = new Set<string>();

  /** What keeps Secrets out of one that exists. */
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

  /** The ServiceAccount exists. @param problem undefined: there is none @returns whether that is news */
  set(serviceAccount: ObjectName, problem: string | undefined): boolean {
    const key = objectKey(serviceAccount);
    const wasAwaited = this.#awaited.delete(key);
    if (this.#problems.get(key) === problem) return wasAwaited;
    if (problem === undefined) this.#problems.delete(key);
    else this.#problems.set(key, problem);
    return true;
  }

  /** The ServiceAccount does not exist. @param isAwaited whether one is waited for @returns whether that is news */
  setMissing(serviceAccount: ObjectName, isAwaited: boolean): boolean {
    const key = objectKey(serviceAccount);
    const hadProblem = this.#problems.delete(key);
    if (this.#awaited.has(key) === isAwaited) return hadProblem;
    if (isAwaited) this.#awaited.add(key);
    else this.#awaited.delete(key);
    return true;
  }
}

import { KubeError } from '../kube/client/errors.ts';
import { describeRight, missingRight } from './failure.ts';

/** What was read, or why the user may not see it. */
export type Seen<T> = { value: T } | { unseen: string };

/** Reads what a command can do without. @throws what is no missing right */
export async function see<T>(reading: Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await reading };
  } catch (error) {
    const right = missingRight(error);
    if (right) return { unseen: describeRight(right) };
    throw error;
  }
}

/** What is read, or undefined where there is no such object. @throws what is not that */
export async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof KubeError && error.isNotFound) return undefined;
    throw error;
  }
}

/** What was seen, as something else. */
export function seenAs<T, U>(seen: Seen<T>, as: (value: T) => U): Seen<U> {
  return 'value' in seen ? { value: as(seen.value) } : seen;
}

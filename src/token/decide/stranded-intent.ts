import type { Reach } from '../lifecycle/place.ts';

/**
 * Whether the place where a mint was begun is gone for good: its account is not there, or leads there no more. Nobody can look up
 * there what came of it, however long it takes. A place that is down, or whose credentials are missing, is there.
 *
 * Nothing is wanted at a place that is gone: what asks for a token there is refused, and the intent waits for it to come back.
 * So an intent that is settled as stranded is never one for the token that is wanted.
 * @param reach how its account leads to the intent's place; undefined: there is no such account
 */
export function isStranded(reach: Reach | undefined): boolean {
  return reach === undefined || reach === 'elsewhere' || reach === 'given up';
}

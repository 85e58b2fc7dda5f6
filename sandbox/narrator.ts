import { formatDuration } from '../src/api/syntax/duration.ts';
import { readTag } from '../src/token/sweep/tag.ts';
import type { FakeRegistry, TokenEvent } from './registries/shared/fake-registry.ts';

/** Tells in lines what happens to tokens at a registry. */
export function narrate(registry: FakeRegistry, tell: (line: string) => void): void {
  const line = (verb: string, { time, id, description, expiresAt }: TokenEvent): void => {
    const revision = readTag(description)?.revision;
    const which = revision === undefined ? '' : ` revision ${revision},`;
    const life = expiresAt === null ? 'never expires' : `${formatDuration(expiresAt - time)} to live`;
    tell(`${clockTime(time)}  ${verb.padEnd(8)} token ${id.slice(0, MAX_ID)},${which} ${life}`);
  };
  registry.on('issued', (event) => {
    const first = (readTag(event.description)?.revision ?? 1) === 1;
    line(first ? 'issued' : 'rotated', event);
  });
  registry.on('revoked', (event) => line('revoked', event));
}

/** Characters of an id that are shown: enough to tell tokens apart. */
const MAX_ID = 15;

/** Time of day in UTC, as in `15:04:05`. @param time milliseconds since 1970 */
export function clockTime(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}

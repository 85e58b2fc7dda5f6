import { formatDuration } from '../src/api/syntax/duration.ts';
import { readTag } from '../src/token/sweep/tag.ts';
import type { TokenEvent } from './registries/ibm-registry-tokens/events.ts';
import type { TokenService } from './registries/ibm-registry-tokens/token-service.ts';

/** Tells in lines what happens to tokens at the token service. */
export function narrate(service: TokenService, tell: (line: string) => void): void {
  const line = (verb: string, { time, id, access, description, expiresAt }: TokenEvent): void => {
    const revision = readTag(description)?.revision;
    const which = revision === undefined ? '' : ` revision ${revision},`;
    const life = expiresAt === null ? 'never expires' : `${formatDuration(expiresAt - time)} to live`;
    tell(`${clockTime(time)}  ${verb.padEnd(8)} token ${id.slice(0, 8)},${which} ${access}, ${life}`);
  };
  service.on('issued', (event) => {
    const first = (readTag(event.description)?.revision ?? 1) === 1;
    line(first ? 'issued' : 'rotated', event);
  });
  service.on('revoked', (event) => line('revoked', event));
  service.on('expired', (event) => line('expired', event));
}

/** Time of day in UTC, as in `15:04:05`. @param time milliseconds since 1970 */
export function clockTime(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}

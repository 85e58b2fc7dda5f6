import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { parseDuration } from '../../src/api/syntax/duration.ts';
import type { TokenEvent } from './registries/provider.ts';
import type { Registries } from './registries/registries.ts';

const DAY = 86_400_000;
/** A request is made some time before its token is, in milliseconds. */
const ON_THE_WAY = 30_000;

/**
 * Whether a token lives as long as was asked, and not longer than its registry rounds that up to.
 * @returns what is wrong
 */
export function lifetimeFault(
  { expiresAt, time }: TokenEvent,
  { lifetime, accountRef }: RegistryTokenSpec,
  registries: Registries,
): string | undefined {
  const { granularity } = registries.of(accountRef?.name ?? 'default');
  if ((lifetime === 'Never') !== (expiresAt === null)) return `expires, or does not: ${lifetime} was asked`;
  if (granularity === undefined || expiresAt === null) return undefined;
  const asked = lifetime === undefined ? DAY : (parseDuration(lifetime) ?? 0);
  const given = Math.ceil(asked / granularity) * granularity;
  const life = expiresAt - time;
  if (life < asked - ON_THE_WAY) return `lives ${life} ms, ${asked} were asked`;
  return life > given + 60_000 + ON_THE_WAY ? `lives ${life} ms, ${given} were enough` : undefined;
}

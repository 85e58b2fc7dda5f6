import type { Fault as RegistryFault } from '../../sandbox/registries/shared/fault.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { apiRefusal, type ApiRefusal } from './api-refusal.ts';
import { carriesWatch, type ProxiedWorld } from './proxied-world.ts';

type Strike = (there: ProxiedWorld, random: () => number) => void | Promise<void>;

const refused =
  (refusal: Omit<ApiRefusal, 'times'>): Strike =>
  ({ api }, random) =>
    api.add(apiRefusal({ ...refusal, times: 1 + Math.floor(random() * 10) }));
const registryFault =
  (fault: RegistryFault): Strike =>
  ({ world }, random) =>
    world.registry.faults.add({ ...fault, times: 1 + Math.floor(random() * 5) });

/** What can happen, and how likely it is compared with the others. */
const STRIKES: [name: string, weight: number, strike: Strike][] = [
  ['all connections reset', 4, ({ api }) => api.reset()],
  ['watches reset', 4, ({ api }) => api.reset(carriesWatch)],
  ['requests lost', 4, ({ api }) => api.add({ kind: 'reset', direction: 'up', times: 20 })],
  ['answers lost', 4, ({ api }) => api.add({ kind: 'reset', direction: 'down', times: 20 })],
  ['answers cut', 4, ({ api }, random) => api.add({ kind: 'truncate', bytes: random() * 2_000, times: 20 })],
  ['slow', 4, ({ api }, random) => api.add({ kind: 'delay', milliseconds: random() * 500 })],
  ['refused', 2, ({ api }) => api.refuse()],
  ['watches in a black hole', 1, ({ api }) => api.add({ kind: 'black-hole', only: carriesWatch })],
  ['everything in a black hole', 1, ({ api }) => api.add({ kind: 'black-hole' })],
  ['429', 3, refused({ code: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 })],
  ['500', 3, refused({ code: 500, reason: 'InternalError' })],
  ['410', 3, refused({ code: 410, reason: 'Expired', to: /watch=true/ })],
  ['registry refused', 2, ({ registry }) => registry.refuse()],
  ['registry reset', 3, ({ registry }) => registry.add({ kind: 'reset', direction: 'down', times: 5 })],
  ['mint without an answer', 3, registryFault({ operation: 'mint', kind: 'drop-after-effect' })],
  ['mint 429', 2, registryFault({ operation: 'mint', kind: 'status', status: 429, retryAfter: 1 })],
  ['revoke 503', 3, registryFault({ operation: 'revoke', kind: 'status', status: 503 })],
];
const TOTAL = STRIKES.reduce((sum, [, weight]) => sum + weight, 0);

/**
 * Faults of all kinds, one after the other with calm in between, at random.
 * @param random uniform in [0, 1)
 * @returns how often each struck
 */
export async function storm(
  there: ProxiedWorld,
  random: () => number,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const struck: Record<string, number> = {};
  while (!signal.aborted) {
    await sleep(clock, random() * 3_000, signal).catch(() => undefined);
    if (signal.aborted) break;
    const [name, strike] = pick(random());
    struck[name] = (struck[name] ?? 0) + 1;
    await strike(there, random);
    await sleep(clock, random() * 3_000, signal).catch(() => undefined);
    await there.heal();
  }
  return struck;
}

function pick(chance: number): [string, Strike] {
  let left = chance * TOTAL;
  for (const [name, weight, strike] of STRIKES) {
    left -= weight;
    if (left < 0) return [name, strike];
  }
  throw new RangeError('chance must be below 1');
}

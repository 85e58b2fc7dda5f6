import type { ReflectorHealth } from './reflector.ts';

/** Why caches cannot be relied on now, one sentence per reflector in trouble; empty when all can be. */
export function staleCaches(
  reflectors: Iterable<{ readonly title: string; readonly health: ReflectorHealth }>,
): string[] {
  const problems: string[] = [];
  for (const { title, health } of reflectors) {
    if (!health.live) problems.push(`${title}: nothing heard from the API server for too long`);
    else if (!health.synced) problems.push(`${title}: not listed yet`);
  }
  return problems;
}

/** Runs simulations as the process that started this one orders. */
import { simulate } from '../simulation/simulation.ts';
import { answer, type Order, type Part } from './child.ts';
import { reachedFromNow, reachedSoFar } from './reached.ts';

process.once('message', (order: Order) => void run(order));

async function run({ seeds = [], bail }: Order): Promise<void> {
  const loading = performance.now();
  const between = [...reachedSoFar()];
  const parts: Part[] = [];
  let failed: string | undefined;
  for (const seed of seeds) {
    const begun = performance.now();
    const reached = reachedFromNow();
    const { violations } = await simulate({ seed });
    const milliseconds = performance.now() - begun;
    parts.push({ name: String(seed), milliseconds, reached: [...reached] });
    if (violations.length > 0) failed ??= `seed ${seed}: ${violations[0]}`;
    if (failed !== undefined && bail) break;
  }
  answer({ ...(failed === undefined ? {} : { failed }), parts, loading, between });
}

/** The fake of IBM's registry tokens as a process of its own: `main.ts PORT [FILE]`, where FILE holds tokens that are there already. */
import { readFileSync } from 'node:fs';
import { serve } from '../../sandbox/registries/shared/http-server.ts';
import type { RegistryToken } from '../../sandbox/registries/ibm-registry-tokens/registry-token.ts';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { ACCOUNT_ID, API_KEY } from './registry-process.ts';

const [port = '0', file] = process.argv.slice(2);
const tokens = file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as RegistryToken[]);
const service = new TokenService({
  clock,
  apiKeys: [{ key: API_KEY, accountId: ACCOUNT_ID }],
  host: 'registry.test',
  // Kept in memory alone: a file that is written with each token would be what is measured.
  state: { load: () => ({ tokens }), save: () => undefined },
});
const requests: Record<string, number> = {};
service.on('answered', ({ operation }) => {
  requests[operation] = (requests[operation] ?? 0) + 1;
});
await serve(service, { port: Number(port) });
process.on('message', () => process.send?.(requests));
process.on('disconnect', () => process.exit());
process.send?.('ready');

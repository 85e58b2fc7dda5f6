/** Lists the tokens of a token service in a process of its own, and tells how that went. Arguments: URL, API key. */
import { systemClock as clock } from '../../../src/common/clock.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import { RegistryDirectory } from '../../../src/registry/directory.ts';
import { readTag } from '../../../src/token/sweep/tag.ts';

const [url = '', apiKey = ''] = process.argv.slice(2);
const directory = new RegistryDirectory({
  clock,
  userAgent: 'test',
  timeout: 120_000,
  metrics: { requested: () => undefined },
});
const registry = directory.registry(
  {
    name: 'default',
    provider: 'IBMRegistryTokens',
    iamEndpoint: url,
    apiKey: new Redacted(apiKey),
    regions: [{ name: 'us-south', host: new URL(url).host, endpoint: url }],
    requestsPerSecond: 1000,
  },
  'us-south',
);
const select = ({ description }: { description: string }): string | undefined => readTag(description)?.uid;
const before = process.memoryUsage.rss();
let listed = 0;
const kept = await registry.list((row) => {
  listed++;
  return select(row);
}, new AbortController().signal);
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ listed, kept: kept.length, grown: maxRSS * 1024 - before }));

/** Lists the tokens of a token service in a process of its own, and tells how that went. Arguments: URL, API key. */
import { systemClock as clock } from '../../../src/common/clock.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import type { ListedToken } from '../../../src/registry/port.ts';
import { providerOf } from '../../../src/registry/backends.ts';
import { RegistryDirectory } from '../../../src/registry/directory.ts';
import { readTag } from '../../../src/token/sweep/tag.ts';

const [url = '', apiKey = ''] = process.argv.slice(2);
const directory = new RegistryDirectory({
  clock,
  userAgent: 'test',
  timeout: 120_000,
  metrics: { requested: () => undefined },
});
const provider = providerOf({
  ibmRegistryTokens: { iamEndpoint: url },
  regions: [{ name: 'us-south', host: new URL(url).host, endpoint: url }],
  credentialsSecretRef: { name: 'ibm-cloud' },
});
const credentials = provider?.readCredentials(new Map([['apikey', new Redacted(apiKey)]]));
if (!credentials || 'problem' in credentials) throw new Error(credentials?.problem);
const registry = directory.registry({ name: 'default', credentials, requestsPerSecond: 1000 }, 'us-south');
const select = ({ description }: ListedToken): string | undefined => readTag(description)?.uid;
const before = process.memoryUsage.rss();
let listed = 0;
const count = (row: ListedToken): string | undefined => {
  listed++;
  return select(row);
};
const kept = (await registry.list?.([], count, new AbortController().signal)) ?? [];
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ listed, kept: kept.length, grown: maxRSS * 1024 - before }));

import { expect } from 'chai';
import type { Capabilities, Lifetimes } from '../../../src/api/capabilities.ts';
import type { RegistryAccountSpec } from '../../../src/api/registry-account.ts';
import { formatDuration } from '../../../src/api/syntax/duration.ts';
import { PROVIDER_NAMES, providerOf, type Provider } from '../../../src/registry/backends.ts';
import { readPage } from '../../support/pages.ts';

/** The columns of the table in docs/guides/choosing-a-registry.md, each an account whose capabilities differ from the others'. */
const ACCOUNTS: Record<string, Omit<RegistryAccountSpec, 'credentialsSecretRef'>> = {
  'IBM Cloud': { ibmCloud: {} },
  'IBM Cloud, `serviceId`': { ibmCloud: { serviceId: 'ServiceId-1', serviceIdAccess: 'ReadOnly' } },
  Harbor: { harbor: { url: 'https://harbor.test' } },
  'ECR, `roleArn`': { ecr: { registryId: '123456789012', roleArn: 'arn:aws:iam::123456789012:role/pull' } },
  'ECR, no role': { ecr: { registryId: '123456789012', identityAccess: 'ReadOnly' } },
  'IBM registry tokens': { ibmRegistryTokens: {} },
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The rows: what is asked of a registry, and its answer by the capabilities that decisions are made by. */
const QUESTIONS: Record<string, (capabilities: Capabilities, provider: Provider) => string> = {
  'A token is': ({ issue }) => (issue === 'minted' ? 'created at the registry' : 'exchanged'),
  Revocation: ({ revoke }) => (revoke ? 'yes' : 'no'),
  'Swept when left over': ({ find }) => (find === 'none' ? 'no' : 'yes'),
  '`scope` names': ({ scope }) => (scope ? `${scope.many ? 'several' : 'one'}: ${scope.name}` : 'nothing'),
  '`access`': ({ access }) => (access.length > 1 ? access.join(', ') : 'as the account says'),
  '`lifetime`': ({ lifetimes }) => lifetimeText(lifetimes),
  '`Never`': ({ lifetimes }) => (lifetimes.kind === 'range' && lifetimes.never ? 'yes' : 'no'),
  'Refused at first for': ({ settling }) =>
    settling.acceptance === 0 ? '-' : `up to ${formatDuration(settling.acceptance)}`,
  'Value read again': ({ readBack }) => (readBack ? 'yes' : 'no'),
  'RegistryTokens of an account': ({ quota }) => (quota ? `${quota.registryTokens}` : 'no known limit'),
  'Default region': (_, { places }) => places.defaultRegion ?? 'no regions',
};

function lifetimeText(lifetimes: Lifetimes): string {
  if (lifetimes.kind === 'fixed') return `${formatDuration(lifetimes.expected)}, by the account`;
  const { minimum, maximum, granularity } = lifetimes;
  if (minimum === maximum) return formatDuration(minimum);
  return granularity === MINUTE ? 'whole minutes' : granularity === 24 * HOUR ? 'whole days' : expect.fail();
}

/** A table as its rows of cells. */
const rowsOf = (page: string): string[][] =>
  [...page.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
    .filter(([cell]) => !/^-+$/.test(cell ?? ''));

describe('docs/guides/choosing-a-registry.md', () => {
  it('says of every registry what its capabilities say', async () => {
    const providers = Object.values(ACCOUNTS).map((spec) => providerOf(spec) ?? expect.fail());
    expect([...new Set(providers.map(({ name }) => name))]).to.have.members(PROVIDER_NAMES);
    const [table = ''] = /(^\|.*\n)+/m.exec(await readPage('guides/choosing-a-registry.md')) ?? [];
    expect(rowsOf(table)).to.deep.equal([
      ['', ...Object.keys(ACCOUNTS)],
      ...Object.entries(QUESTIONS).map(([question, answer]) => [
        question,
        ...providers.map((provider) => answer(provider.capabilities, provider)),
      ]),
    ]);
  });
});

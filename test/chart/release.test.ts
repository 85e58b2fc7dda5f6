import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseDocument } from 'yaml';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { readPage } from '../support/pages.ts';
import { CHART, describeHelm, NAMESPACE, RELEASE, type Values } from './support/helm.ts';
import { API_KEYS, Installation } from './support/installation.ts';
import { inventory, since } from './support/inventory.ts';

const TOKENS: ObjectName[] = [
  { namespace: 'team-a', name: 'app-pull' },
  { namespace: 'team-b', name: 'pull' },
];
/** Of docs/rotation.md: rotates a token after a leak. */
const [, AFTER_A_LEAK = ''] = /```sh\n([^`]*gracePeriod[^`]*)```/.exec(await readPage('rotation.md')) ?? [];

describeHelm('chart: a release from its first day to its last', (helm) => {
  let installation: Installation;
  let newer: string;
  let older: string;
  let untouched: string[];
  let values: Values;

  before(async function () {
    this.timeout(120_000);
    installation = await Installation.onRealServer(this, helm);
    await installation.createNamespaces(NAMESPACE, 'team-a', 'team-b');
    await installation.setKey(API_KEYS[0]);
    newer = join(installation.folder, 'newer');
    await cp(CHART, newer, { recursive: true });
    const description = join(newer, 'Chart.yaml');
    const text = await readFile(description, 'utf8');
    await writeFile(description, text.replaceAll(/^(version|appVersion): .*$/gm, '$1: 99.0.0'));
    older = join(installation.folder, 'older');
    await cp(CHART, older, { recursive: true });
    await withoutNewest(join(older, 'values.yaml'));
    untouched = await everything();
    const tokens = Object.fromEntries(TOKENS.map((token) => [token.name, token]));
    values = { accounts: { default: installation.account() }, tokens };
  });

  after(async () => {
    await installation?.close();
  });

  /** Does something, waits until all is as wanted again, and tells how many tokens that took. */
  const issuedDuring = async (work: () => Promise<unknown>): Promise<number> => {
    const before = installation.counts.issued;
    await work();
    for (const token of TOKENS) await installation.whenReady(token);
    return installation.counts.issued - before;
  };

  const secretUids = (): Promise<string[]> =>
    Promise.all(TOKENS.map(async (token) => (await installation.secret(token)).metadata.uid));

  /** Waits until the operator has seen what the account asks for, and has rotated all its tokens for it. */
  const rotated = (requestedAt?: string): Promise<unknown> =>
    installation.eventually(`all tokens are rotated for ${requestedAt ?? 'nothing'}`, async () => {
      const { metadata, status } = await installation.client.get<RegistryAccount>(REGISTRY_ACCOUNTS, {
        name: 'default',
      });
      const seen = status?.observedGeneration === metadata.generation;
      const { requestedAt: asked, done = TOKENS.length } = status?.rotation ?? {};
      return seen && asked === requestedAt && done === TOKENS.length
        ? { value: asked }
        : { seen: JSON.stringify(status) };
    });

  const history = async (): Promise<number> => {
    const revisions = JSON.parse(await installation.helm(['history', RELEASE, '--output', 'json'])) as {
      revision: number;
    }[];
    return revisions.at(-1)?.revision ?? 0;
  };

  const everything = (): Promise<string[]> => inventory((args) => installation.kubectl(args.join(' ')));

  it('is installed with an account and tokens in one step', async () => {
    const issued = await issuedDuring(async () => {
      await installation.upgrade(values);
      await installation.startOperator();
    });
    expect(issued).to.equal(TOKENS.length);
  });

  it('is upgraded to another version without a token being created', async () => {
    const before = await secretUids();
    const issued = await issuedDuring(async () => {
      await installation.upgrade(values, newer);
      await installation.startOperator();
    });
    expect(issued).to.equal(0);
    expect(await secretUids()).to.deep.equal(before);
  });

  it('rotates every token once for each time it is asked to', async () => {
    const before = await secretUids();
    for (const requestedAt of ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']) {
      const issued = await issuedDuring(async () => {
        await installation.upgrade({ ...values, rotation: { requestedAt } }, newer);
        await rotated(requestedAt);
      });
      expect(issued, requestedAt).to.equal(TOKENS.length);
    }
    expect(await secretUids()).to.deep.equal(before);
  });

  it('takes a new key into use without a restart and without a token being created', async () => {
    const exchanged = new Promise((resolve) => installation.service.once('exchanged', resolve));
    expect(
      await issuedDuring(async () => {
        await installation.setKey(API_KEYS[1]);
        await exchanged;
      }),
    ).to.equal(0);
  });

  it('is rolled back to before the rotations without a token being created', async () => {
    const revision = (await history()) - 2;
    const issued = await issuedDuring(async () => {
      await installation.helm(['rollback', RELEASE, String(revision)]);
      await rotated();
    });
    expect(issued).to.equal(0);
  });

  it('rotates nothing again when it is rolled forward, though a token was replaced in between', async () => {
    const [first] = TOKENS as [ObjectName];
    const issued = await issuedDuring(async () => {
      await installation.kubectl(
        `--namespace ${first.namespace} annotate registrytoken ${first.name} pullsecrets.dev/rotate=between`,
      );
      await installation.whenReady(first, ({ status }) => status?.lastHandledRotate === 'between');
      await installation.helm(['rollback', RELEASE, String((await history()) - 1)]);
      await rotated('2026-01-02T00:00:00Z');
    });
    expect(issued, 'the one that was asked for').to.equal(1);
  });

  it('keeps accounts and tokens when they leave the values', async () => {
    expect(await issuedDuring(() => installation.upgrade({}))).to.equal(0);
  });

  it('is downgraded without a token being created', async () => {
    const issued = await issuedDuring(async () => {
      await installation.upgrade(values);
      await installation.startOperator();
    });
    expect(issued).to.equal(0);
  });

  it('is upgraded from a version that had fewer values, whether new defaults are taken or not', async () => {
    const flags = ['--evict-pods=false', '--sweep=revoke', '--leader-elect-retry-period=2s'];
    await installation.upgrade(values, older);
    await installation.upgradeAgain('--reuse-values');
    for (const flag of flags) expect(await installation.operatorArgs()).not.to.include(flag);
    expect(await issuedDuring(() => installation.startOperator())).to.equal(0);
    await installation.upgradeAgain('--reset-then-reuse-values');
    expect(await installation.operatorArgs()).to.include.members(flags);
  });

  it('revokes a leaked token at once, by the command that the documentation has for it', async () => {
    const leaked = (await installation.token(TOKENS[0]!)).status?.token?.id;
    await installation.shell(AFTER_A_LEAK);
    await installation.eventually('the leaked token is revoked', async () => {
      const ids = installation.service.tokens().map(({ id }) => id);
      return ids.includes(leaked ?? '') ? { seen: ids.join() } : { value: true };
    });
    await installation.whenReady(TOKENS[0]!, ({ status }) => status?.token?.id !== leaked);
  });

  it('leaves nothing but what its policy keeps when it is uninstalled', async () => {
    await installation.stopOperator();
    await installation.helm(['uninstall', RELEASE]);
    const expected = [
      'CustomResourceDefinition clusterregistrytokens.pullsecrets.dev',
      'CustomResourceDefinition registryaccounts.pullsecrets.dev',
      'CustomResourceDefinition registrytokens.pullsecrets.dev',
      // The operator's own, which Helm does not know of.
      'Lease registry-system/registry-token-operator',
      'RegistryAccount default',
      'RegistryToken team-a/app-pull',
      'RegistryToken team-b/pull',
      'Secret team-a/app-pull',
      'Secret team-b/pull',
    ];
    await installation.eventually('only these are left', async () => {
      const left = since(untouched, await everything());
      return left.join() === expected.join() ? { value: left } : { seen: left.join() };
    });
  });

  it('takes over what it left when it is installed again', async () => {
    const issued = await issuedDuring(async () => {
      await installation.upgrade(values);
      await installation.startOperator();
    });
    expect(issued).to.equal(0);
  });

  it('leaves no token alive when the RegistryTokens are deleted first', async () => {
    await installation.kubectl('delete registrytokens --all --all-namespaces --timeout=20s');
    expect(installation.service.tokens()).to.deep.equal([]);
  });
});

/** Takes out of a chart's values what a version before them would not have had. */
async function withoutNewest(path: string): Promise<void> {
  const document = parseDocument(await readFile(path, 'utf8'));
  for (const key of [
    ['operator', 'clusterTokens'],
    ['clusterTokens'],
    ['operator', 'evictPods'],
    ['operator', 'countPods'],
    ['operator', 'sweep'],
    ['leaderElection'],
    ['networkPolicy', 'dnsPorts'],
    ['rbac', 'restrictSecrets'],
    ['warnings'],
  ]) {
    if (!document.deleteIn(key)) throw new Error(`values.yaml has no ${key.join('.')}`);
  }
  await writeFile(path, document.toString());
}

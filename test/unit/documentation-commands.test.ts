import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ownOptions } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { KUBE_OPTIONS } from '../../src/cli/kube-flags.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { providerOf } from '../../src/registry/backends.ts';
import { readExamples } from '../support/examples.ts';
import { blocksOf, objectsOf, pagesBelow, readPage } from '../support/pages.ts';

const CHART = '../charts/registry-token-operator/';
const CREATED_SECRET = /\bcreate secret generic ([\w-]+)/g;
const isAccount = ({ kind }: { kind?: string | undefined }): boolean => kind === 'RegistryAccount';

/** What is typed behind `kubectl registrytoken`, up to the end of that command. */
const PLUGIN = /\bkubectl registrytoken((?: [^\s|;&<>)`\]]+)+)/g;

async function commandsOf(page: string): Promise<string[]> {
  return (await blocksOf(page)).filter(({ language }) => language === 'sh').map(({ text }) => text);
}

describe('commands and manifests in the documentation', () => {
  let pages: string[];
  before(async () => {
    pages = await pagesBelow('**/*.md');
  });

  it('are such that a shell, and YAML, can read them', async () => {
    await Promise.all(
      pages.map(async (page) => {
        await objectsOf(page);
        const script = (await commandsOf(page)).join('\n');
        await promisify(execFile)('bash', ['-n', '-c', script]).catch((error: Error) =>
          expect.fail(`${page}: ${error.message}`),
        );
      }),
    );
  });

  it('call the plugin by commands and flags that it has', async () => {
    let calls = 0;
    for (const page of pages)
      for (const [line, words = ''] of (await readPage(page)).matchAll(PLUGIN)) {
        const [name = '', ...rest] = words.trim().split(' ');
        // Not a flag, nor a word that stands for any of them.
        if (!/^[a-z]/.test(name)) continue;
        const command =
          COMMANDS.find((each) => each.name === name) ?? expect.fail(`${page}: ${line}: no ${name}`);
        const flags = [...ownOptions(command), ...KUBE_OPTIONS].flatMap(({ long, short }) => [long, short]);
        for (const word of rest)
          if (word.startsWith('-')) expect(flags, `${page}: ${line}`).to.include(word.split('=')[0]);
        calls++;
      }
    expect(calls).to.be.at.least(20);
  });

  it('ask for the Kubernetes that the chart asks for', async () => {
    const [, oldest] = /^kubeVersion: '>=([\d.]+)\.0-0'$/m.exec(await readPage(`${CHART}Chart.yaml`)) ?? [];
    for (const page of ['../README.md', 'install.md'])
      expect(await readPage(page), page).to.include(`Kubernetes ${oldest} or later`);
  });

  describe('on RegistryAccounts', () => {
    let accounts: RegistryAccount[];
    let examples: RegistryAccount[];
    before(async () => {
      const shown = await Promise.all(pages.map(objectsOf));
      accounts = shown.flat().filter(isAccount) as RegistryAccount[];
      const objects = (await readExamples()).map(({ object }) => object);
      examples = objects.filter(isAccount) as unknown as RegistryAccount[];
    });

    it('list the regions that the example of their registry lists', () => {
      for (const { spec } of examples) {
        const { name } = providerOf(spec)!;
        const regions = accounts.filter((account) => name in account.spec).map((each) => each.spec.regions);
        expect(regions, name).to.deep.include(spec.regions);
      }
    });

    it('have one name for the Secret of each registry, also where it is created', async () => {
      const names = new Map<string, string>();
      for (const { spec } of [...examples, ...accounts]) {
        const [provider, secret] = [providerOf(spec)!.name, spec.credentialsSecretRef?.name];
        if (secret === undefined) continue;
        expect(names.get(provider) ?? secret, provider).to.equal(secret);
        names.set(provider, secret);
      }
      for (const page of [...pages, '../README.md', `${CHART}README.md`])
        for (const [line, secret = ''] of (await readPage(page)).matchAll(CREATED_SECRET))
          expect([...names.values()], `${page}: ${line}`).to.include(secret);
    });
  });
});

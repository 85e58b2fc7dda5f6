import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ownOptions } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { KUBE_OPTIONS } from '../../src/cli/kube-flags.ts';
import { blocksOf, objectsOf, pagesBelow, readPage } from '../support/pages.ts';

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
});

import { execFile } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { expect } from 'chai';
import { missingPrograms } from '../../sandbox/programs.ts';
import { helmTools } from '../../scripts/helm-tools.ts';
import { blocksOf, type Block } from '../support/pages.ts';
import { PROJECT, SandboxTerminal } from '../support/sandbox-terminal.ts';
import { recordOutput } from '../support/secrecy.ts';

/** The language, and maybe a word on how it is to be run. */
const infoOf = ({ language, remark }: Block): string => `${language} ${remark}`.trim();

/** One script of all that is to be typed into one terminal; it ends at the first command that does not go as the page says. */
function scriptOf(blocks: readonly Block[]): string {
  const parts = blocks.flatMap((block, index) => {
    const { text } = block;
    if (infoOf(block) === 'sh') return [text];
    if (infoOf(block) !== 'sh refused') return [];
    const said = blocks[index + 1]?.text.trim() ?? '';
    return [
      `if said=$( { ${text.trim()}\n} 2>&1 ); then echo 'it was not refused'; exit 1; fi`,
      `grep -qF '${said}' <<< "$said" || { echo "$said"; exit 1; }`,
    ];
  });
  return ['set -euo pipefail', ...parts].join('\n');
}

describe('docs/walkthrough.md', () => {
  let blocks: Block[];
  let env: NodeJS.ProcessEnv;
  let sandbox: SandboxTerminal | undefined;

  before(async function () {
    this.timeout(60_000);
    const missing = await missingPrograms('docker-registry', 'skopeo');
    if (missing.length > 0) {
      process.stdout.write(`    skipped: ${missing.join(' and ')} not on the PATH\n`);
      this.skip();
    }
    const { KUBECONFIG: _, ...rest } = process.env;
    const withoutKubectl = (await missingPrograms('kubectl')).length > 0;
    const tools = withoutKubectl ? [dirname((await helmTools(4)).kubectl)] : [];
    env = { ...rest, PATH: [...tools, rest['PATH'] ?? ''].join(delimiter) };
    blocks = await blocksOf('walkthrough.md');
  });

  after(async () => {
    await sandbox?.close();
  });

  it('has one command for the first terminal, and says what each refusal looks like', () => {
    expect(blocks.filter((block) => infoOf(block) === 'sh sandbox')).to.have.length(1);
    expect(blocks.filter((block) => infoOf(block) === 'sh').length).to.be.at.least(8);
    const infos = blocks.map(infoOf);
    for (const [index, info] of infos.entries()) {
      expect(['sh', 'sh sandbox', 'sh refused', 'text']).to.include(info);
      expect(info === 'text').to.equal(infos[index - 1] === 'sh refused');
    }
  });

  it('works as it is written', async function () {
    this.timeout(120_000);
    const start = blocks.find((block) => infoOf(block) === 'sh sandbox')?.text ?? '';
    sandbox = await SandboxTerminal.open(start, env);
    const script = sandbox.inFolder(scriptOf(blocks));
    const problem = await new Promise<string | undefined>((resolve) => {
      execFile('bash', ['-c', script], { cwd: PROJECT, env }, (error, stdout, stderr) => {
        recordOutput(stdout + stderr, 'walk-through');
        resolve(error ? `${stdout}\n${stderr}` : undefined);
      });
    });
    expect(problem).to.equal(undefined);
  });
});

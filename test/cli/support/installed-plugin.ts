import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { helmTools } from '../../../scripts/helm-tools.ts';
import { makePlugin } from '../../../scripts/plugin.ts';
import { recordOutput } from '../../support/secrecy.ts';
import { oldestNode } from './node-versions.ts';

/** What a program said, and how it ended. */
export interface Outcome {
  exit: number | null;
  out: string;
  err: string;
}

/** kubectl with the plugin in PATH, as its archive has it, the oldest Node that runs it, and a kubeconfig. */
export class InstalledPlugin {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly #kubectl: string;
  readonly #node: string;

  /**
   * Makes the plugin, unpacks its archive into a folder of its own, and links the executables into another, as krew does.
   * @param kubeconfig a file's text
   */
  static async install(kubeconfig: string): Promise<InstalledPlugin> {
    const folder = await mkdtemp(join(tmpdir(), 'plugin-'));
    const release = { version: '0.1.0', homepage: 'https://github.test/owner/name' };
    const { archive } = await makePlugin(join(folder, 'made'), release, 0);
    const unpacked = join(folder, 'unpacked');
    const bin = join(folder, 'bin');
    for (const each of [unpacked, bin]) await mkdir(each);
    await promisify(execFile)('tar', ['-xzf', archive, '-C', unpacked]);
    for (const name of ['kubectl-registrytoken', 'kubectl_complete-registrytoken'])
      await symlink(join(unpacked, name), join(bin, name));
    const path = join(folder, 'kubeconfig');
    await writeFile(path, kubeconfig);
    await chmod(path, 0o600);
    return new InstalledPlugin(folder, path, (await helmTools(4)).kubectl, await oldestNode());
  }

  private constructor(folder: string, kubeconfig: string, kubectl: string, node: string) {
    this.folder = folder;
    this.kubeconfig = kubeconfig;
    this.#kubectl = kubectl;
    this.#node = node;
  }

  async uninstall(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  /** Starts `kubectl` with these words behind it. */
  start(words: readonly string[]): ChildProcess {
    return this.#start(this.#kubectl, words);
  }

  /** What bash says to a script, in `folder`. */
  async script(text: string): Promise<Outcome> {
    return outcomeOf(this.#start('bash', ['-c', text]));
  }

  #start(program: string, words: readonly string[]): ChildProcess {
    const own = [join(this.folder, 'bin'), dirname(this.#kubectl), this.#node];
    const PATH = [...own, process.env['PATH']].join(delimiter);
    const env = { PATH, HOME: this.folder, KUBECONFIG: this.kubeconfig };
    return spawn(program, words, { env, cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** What kubectl says to these words. Nothing of it may hold a secret, which the run of the tests checks. */
  async kubectl(...words: string[]): Promise<Outcome> {
    return outcomeOf(this.start(words));
  }

  run(...words: string[]): Promise<Outcome> {
    return this.kubectl('registrytoken', ...words);
  }
}

/** What a program says until it ends. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const outcome: Outcome = { exit: null, out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (outcome.out += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (outcome.err += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  for (const text of [outcome.out, outcome.err]) recordOutput(text, 'plugin');
  return { ...outcome, exit: code };
}

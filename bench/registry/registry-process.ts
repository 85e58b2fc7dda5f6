import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const API_KEY = 'an-api-key-to-measure-with';
export const ACCOUNT_ID = 'bench';
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** A fake registry in a process of its own, so that its work is not the harness's. */
export class RegistryProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  /** @param file tokens that are there already, as JSON */
  static async start(port: number, file?: string): Promise<RegistryProcess> {
    const child = fork(MAIN, [String(port), ...(file === undefined ? [] : [file])]);
    await once(child, 'message');
    return new RegistryProcess(child, `http://127.0.0.1:${port}`);
  }

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Requests so far, by operation. */
  async requests(): Promise<Record<string, number>> {
    this.#child.send('requests');
    const [requests] = (await once(this.#child, 'message')) as [Record<string, number>];
    return requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

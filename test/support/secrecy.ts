/**
 * Catches secrets that a test run prints. Loaded before the tests (see .mocharc.json), it records all that the process writes,
 * and after the last test fails the run when a registered secret is in there. Where files run side by side (`mocha --parallel`),
 * each process does so after each of its files.
 */
import type { RootHookObject } from 'mocha';

/** A secret in the output: where, never what. */
export interface Leak {
  /** `stdout`, `stderr`, or whose output was recorded. */
  source: string;
  /** Line of that source's output over the whole run, from 1. */
  line: number;
  /** The test that ran when it was written. */
  test: string;
}

interface Chunk {
  text: string;
  test: string;
}

/** Shorter values turn up by chance. */
const SHORTEST = 8;

/** Secrets and output of a run, and where they meet. */
export class SecrecyNet {
  /** Every form of every secret, under its first characters. */
  readonly #forms = new Map<string, Set<string>>();
  readonly #output = new Map<string, Chunk[]>();
  /** The test that runs now. */
  test = 'before the first test';

  /** @throws RangeError for a value of less than eight characters, which could not be told from other text */
  register(secret: string): void {
    if (secret.length < SHORTEST)
      throw new RangeError(`use secrets of at least ${SHORTEST} characters in tests`);
    for (const form of [
      secret,
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
    ]) {
      const start = form.slice(0, SHORTEST);
      const known = this.#forms.get(start) ?? new Set();
      this.#forms.set(start, known.add(form));
    }
  }

  record(text: string, source: string): void {
    const chunks = this.#output.get(source) ?? [];
    chunks.push({ text, test: this.test });
    this.#output.set(source, chunks);
  }

  /** Forgets what was recorded, not the secrets. */
  clear(): void {
    this.#output.clear();
  }

  leaks(): Leak[] {
    return [...this.#output].flatMap(([source, chunks]) => {
      const text = chunks.map((chunk) => chunk.text).join('');
      return this.#find(text).map((at) => ({
        source,
        line: text.slice(0, at).split('\n').length,
        test: testAt(chunks, at),
      }));
    });
  }

  #find(text: string): number[] {
    const found: number[] = [];
    for (let at = 0; at <= text.length - SHORTEST; at++) {
      const forms = this.#forms.get(text.slice(at, at + SHORTEST));
      if (forms && [...forms].some((form) => text.startsWith(form, at))) found.push(at);
    }
    return found;
  }
}

function testAt(chunks: readonly Chunk[], at: number): string {
  let end = 0;
  return chunks.find((chunk) => (end += chunk.text.length) > at)?.test ?? '';
}

const net = new SecrecyNet();
let tapped = false;

/** Tells the net of a token, key or password that must not be printed by anything in this run. */
export function registerSecret(secret: string): void {
  net.register(secret);
}

/** Adds what another process wrote, or what a log was given. */
export function recordOutput(text: string, source: string): void {
  net.record(text, source);
}

function tap(stream: NodeJS.WriteStream, source: string): void {
  const write = stream.write.bind(stream) as (chunk: string | Uint8Array, ...rest: unknown[]) => boolean;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    net.record(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString(), source);
    return write(chunk, ...rest);
  };
}

export const mochaHooks: RootHookObject = {
  beforeAll() {
    if (tapped) return;
    tapped = true;
    tap(process.stdout, 'stdout');
    tap(process.stderr, 'stderr');
  },
  beforeEach(this: Mocha.Context) {
    net.test = this.currentTest?.fullTitle() ?? net.test;
  },
  afterAll() {
    const leaks = net.leaks().map(({ source, line, test }) => `${source}, line ${line}, during: ${test}`);
    net.clear();
    if (leaks.length > 0) throw new Error(`a secret was printed\n  ${leaks.join('\n  ')}`);
  },
};

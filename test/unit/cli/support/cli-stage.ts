import { KubeClient } from '../../../../src/kube/client/client.ts';
import { refusal } from '../../../../src/kube/client/errors.ts';
import type { Call, Transport } from '../../../../src/kube/transport/transport.ts';
import type { Command } from '../../../../src/cli/command.ts';
import type { Environment } from '../../../../src/cli/context.ts';
import type { KubeFlags } from '../../../../src/cli/kube-flags.ts';
import { run } from '../../../../src/cli/program.ts';
import type { Clock } from '../../../../src/common/clock.ts';

/** What a run of the plugin came to. */
export interface Outcome {
  exit: number;
  out: string;
  err: string;
}

/** An API server's answers by method and path; one that is missing is a 404. */
export type Answers = Record<string, object | ((call: Call) => object)>;

/** A refusal to be thrown, as the API server's authorizer words it. */
export function forbidden(verb: string, path: string, resource: string, namespace?: string): Error {
  const [plural = '', group = ''] = resource.split(/\.(.*)/s);
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const message = `${resource} is forbidden: User "jane" cannot ${verb} resource "${plural}" in API group "${group}" ${where}`;
  return refusal({ method: 'GET', path }, 403, { kind: 'Status', reason: 'Forbidden', message });
}

/** A clock on which every wait is over at once, and has taken its time. */
class HastyClock implements Clock {
  #elapsed = 0;
  readonly #start: number;

  constructor(start: number) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const immediate = setImmediate(() => {
      this.#elapsed += milliseconds;
      callback();
    });
    return () => clearImmediate(immediate);
  }
}

/** The plugin before an API server that is a table of answers, at 2026-11-30T12:00:00Z. */
export class CliStage {
  readonly calls: Call[] = [];
  readonly flags: KubeFlags[] = [];
  readonly clock = new HastyClock(Date.UTC(2026, 10, 30, 12));
  readonly stopping = new AbortController();
  readonly #answers: Answers;

  constructor(answers: Answers = {}) {
    this.#answers = answers;
  }

  async run(
    argv: readonly string[],
    options: Partial<Environment> & { commands?: readonly Command[]; colour?: boolean; live?: boolean } = {},
  ): Promise<Outcome> {
    const { commands, colour = false, live = false, ...others } = options;
    const outcome = { exit: -1, out: '', err: '' };
    const terminal = {
      write: (text: string) => void (outcome.out += text),
      tell: (text: string) => void (outcome.err += text),
      colour,
      live,
    };
    const { clock, stopping } = this;
    const environment: Environment = {
      terminal,
      clock,
      signal: stopping.signal,
      variables: {},
      version: '1.2.3',
      connect: (flags) => this.#connect(flags),
      ...others,
    };
    outcome.exit = await run(argv, environment, ...(commands ? [commands] : []));
    return outcome;
  }

  #connect(flags: KubeFlags): ReturnType<Environment['connect']> {
    this.flags.push(flags);
    const transport: Transport = {
      request: async (call) => this.#answer(call),
      stream: () => {
        throw new Error('no watch is served here');
      },
      close: async () => undefined,
    };
    const client = new KubeClient(transport, { fieldManager: 'test' });
    return { client, namespace: flags.namespace ?? 'team-a', close: () => transport.close() };
  }

  #answer(call: Call): object {
    call.signal?.throwIfAborted();
    this.calls.push(call);
    const answer = this.#answers[`${call.method} ${call.path}`];
    const given = typeof answer === 'function' ? answer(call) : structuredClone(answer);
    if (answer instanceof Error) throw answer;
    if (given !== undefined) {
      // As the transport does with each item of a list.
      const { items } = given as { items?: unknown[] };
      if (call.keep && items) (given as { items: unknown[] }).items = items.map(call.keep);
      return given;
    }
    const name = call.path.split('/').at(-1);
    const body = {
      kind: 'Status',
      reason: 'NotFound',
      message: `registrytokens.pullsecrets.dev "${name}" not found`,
    };
    throw refusal(call, 404, body);
  }
}

/** A list as the API server answers it. */
export function listOf(...items: object[]): object {
  return { metadata: { resourceVersion: '1' }, items };
}

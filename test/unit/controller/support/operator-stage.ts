import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { RegistryAccount } from '../../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../../../src/api/resources.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import { Operator, type OperatorSettings } from '../../../../src/controller/operator.ts';
import { KubeClient } from '../../../../src/kube/client/client.ts';
import { SECRETS } from '../../../../src/kube/client/resources.ts';
import type { Manifest } from '../../../../src/kube/client/manifest.ts';
import type { Call, StreamCall, Transport } from '../../../../src/kube/transport/transport.ts';
import type { RegistryDirectory } from '../../../../src/registry/directory.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import type { IssuedToken, IssueRequest, ListedToken, Select } from '../../../../src/registry/port.ts';
import type { PlaceState } from '../../../../src/token/decide/situation.ts';
import { ApiServer } from '../../../../sandbox/apiserver/server.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from '../../../../sandbox/setup.ts';
import { contentOf, requestOf } from '../../../simulation/api-call.ts';
import { aCapability, anAccount, aToken, DAY, HOUR, type Part, PLACE } from '../../../support/builders.ts';
import { seededRandom } from '../../../support/random.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { Logs } from '../../kube/support/logs.ts';

const CRDS = new URL('../../../../crds/', import.meta.url);
const nothing = (): void => undefined;

/** The operator on a virtual clock, an API server in the same process, and registries in its memory. */
export class OperatorStage {
  readonly clock = new VirtualClock();
  readonly logs = new Logs();
  readonly stop = new AbortController();
  readonly server = new ApiServer({ clock: this.clock, random: seededRandom(1) });
  readonly client = new KubeClient(this.#transport(), { fieldManager: 'test' });
  /** What the API server was asked. */
  readonly calls: string[] = [];
  /** Answers in place of the API server, or lets pass what it returns undefined for. */
  intercept: (call: Call) => Promise<unknown> | undefined = () => undefined;
  readonly queues: string[] = [];
  /** What metrics were told, and whose credentials and tokens were asked for where. */
  readonly did: string[] = [];
  readonly protected: string[] = [];
  /** Tokens at the registry. */
  readonly rows = new Map<string, ListedToken>();
  /** Regions whose registry takes requests and never answers. */
  readonly hanging = new Set<string>();
  /** Whether answers to mints get lost, and the description that was asked for last then. */
  isConfused = false;
  confused = '';
  /** Why nothing is sent to registries at present. */
  outage: PlaceState['outage'];
  /** Tells that a place of an account answers again. */
  back: (account: string) => void = nothing;
  /** Whether nobody says whose credentials are. */
  isMute = false;

  /** Has the definitions of the custom resources made. */
  async prepare(): Promise<void> {
    for (const file of readdirSync(CRDS)) {
      const definition = parse(readFileSync(new URL(file, CRDS), 'utf8')) as Manifest;
      await this.client.create(CUSTOM_RESOURCE_DEFINITIONS, definition);
    }
    await this.clock.advance(10);
    this.calls.length = 0;
  }

  /** An account and its credentials. */
  async putAccount(part: Part<RegistryAccount> = {}): Promise<void> {
    const { apiVersion, kind, metadata, spec } = anAccount(part);
    const name = spec.credentialsSecretRef?.name ?? '';
    await this.client.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'default', name },
      data: { apikey: Buffer.from('key').toString('base64') },
    });
    await this.client.create(REGISTRY_ACCOUNTS, {
      apiVersion,
      kind,
      metadata: { name: metadata.name },
      spec,
    });
  }

  async putToken(name: string, part: Part<RegistryToken> = {}, namespace = 'default'): Promise<void> {
    const { apiVersion, kind, spec } = aToken(part);
    await this.client.create(REGISTRY_TOKENS, { apiVersion, kind, metadata: { namespace, name }, spec });
  }

  token(name: string, namespace = 'default'): Promise<RegistryToken> {
    return this.client.get<RegistryToken>(REGISTRY_TOKENS, { namespace, name });
  }

  begin(settings: Partial<OperatorSettings> = {}): { operator: Operator; led: Promise<unknown> } {
    const { clock, logs, did, client, stop } = this;
    const noting =
      (what: string) =>
      (how: string): void =>
        void did.push(`${what} ${how}`);
    const operator = new Operator({
      settings: {
        operatorNamespace: 'default',
        watchNamespaces: ['default'],
        workers: 1,
        mintBudget: 0,
        defaultGracePeriod: 0,
        revocationDeadline: 0,
        sweep: 'revoke',
        sweepInterval: HOUR,
        sweepDelay: 600_000,
        clusterTokens: false,
        evictPods: true,
        countPods: false,
        shutdownTimeout: 0,
        ...settings,
      },
      client,
      directory: this.#directory(),
      identity: 'test',
      protect: (secret) => void this.protected.push(secret.reveal()),
      metrics: {
        token: {
          minted: noting('counted mint for'),
          revoked: noting('counted revocation as'),
          repaired: noting('counted repair for'),
          orphans: nothing,
          unknownTokens: nothing,
        },
        reflector: { watchEvent: nothing, relisted: nothing, refused: nothing },
        workers: { addController: nothing, start: () => nothing, terminalError: nothing, panic: nothing },
        queue: (controller) => {
          this.queues.push(controller);
          return { added: nothing, started: nothing, finished: nothing, retried: nothing };
        },
      },
      logger: logs,
      clock,
      random: () => 0,
    });
    operator.watch(stop.signal).catch(nothing);
    const led = operator.lead(stop.signal).catch((error: unknown) => error);
    return { operator, led };
  }

  end(): void {
    this.stop.abort();
    this.server.close();
  }

  #transport(): Transport {
    const { server, stop } = this;
    const answer = async (call: Call): Promise<unknown> => {
      this.calls.push(`${call.method} ${call.path}`);
      return (
        this.intercept(call) ??
        contentOf(call, await server.handle(requestOf(call, call.signal ?? stop.signal)))
      );
    };
    return {
      request: answer,
      async *stream(call: StreamCall) {
        const { body } = await server.handle(requestOf(call, call.signal ?? stop.signal));
        call.onOpen?.();
        if (typeof body !== 'string') yield* body;
      },
      close: () => Promise.resolve(),
    };
  }

  #directory(): RegistryDirectory {
    const { did, rows, hanging } = this;
    const unlessHanging = async (what: string, region: string, signal: AbortSignal): Promise<void> => {
      did.push(`${what} in ${region}`);
      if (hanging.has(region)) await hang(signal);
    };
    const registry = (__: unknown, region: string): object => ({
      capabilities: aCapability({ readBack: false }),
      issue: async ({ description }: IssueRequest, signal: AbortSignal): Promise<IssuedToken> => {
        await unlessHanging('mint', region, signal);
        if (this.isConfused) {
          this.confused = description;
          throw new RegistryError('Ambiguous', 'the answer was lost');
        }
        const id = `token-${rows.size + 1}`;
        const expiresAt = this.clock.now() + DAY;
        rows.set(id, { id, description, expiresAt, revoked: false });
        return { id, username: 'token', value: new Redacted(`value of ${id}`), expiresAt };
      },
      revoke: async (id: string, signal: AbortSignal): Promise<boolean> => {
        await unlessHanging(`revoke ${id}`, region, signal);
        return rows.delete(id);
      },
      list: async <T>(_: unknown, select: Select<T>, signal: AbortSignal): Promise<T[]> => {
        await unlessHanging('list', region, signal);
        return [...rows.values()].flatMap((row) => select(row) ?? []);
      },
    });
    const directory = {
      registry,
      loginProbe: () => ({ host: '', try: () => Promise.resolve({ answer: 'accepted' }) }),
      verify: async (_: unknown, signal: AbortSignal) => {
        did.push('verify');
        if (this.isMute) await hang(signal);
        return { identity: PLACE.identity };
      },
      registryNow: () => this.clock.now(),
      forget: nothing,
      whenBack: (listener: (account: string) => void) => {
        this.back = listener;
      },
      tryNow: (_: unknown, region: string) => void did.push(`try ${region} now`),
      place: () => ({ outage: this.outage, backAt: undefined }),
    };
    return directory as unknown as RegistryDirectory;
  }
}

/** Waits until the signal aborts. */
function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

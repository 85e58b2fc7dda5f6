/** The registry that tests run with whose subject is not one back end's own API. The environment variable REGISTRY names it. */
import { REGISTRIES, REGISTRY_NAMES, type RegistryName } from '../../sandbox/registries/registries.ts';
import type { PreparedRegistry } from '../../sandbox/registries/registry-kind.ts';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { Redacted } from '../../src/common/redacted.ts';
import { providerOf, type Provider } from '../../src/registry/backends.ts';
import { RegistryDirectory } from '../../src/registry/directory.ts';
import type { Registry, Tag } from '../../src/registry/port.ts';
import { describe as describeToken } from '../../src/token/sweep/tag.ts';

/** The one that takes the fewest requests. */
const DEFAULT: RegistryName = 'ibm-registry-tokens';

export const REGISTRY: RegistryName = readName(process.env['REGISTRY'] ?? DEFAULT);

/** A fake of it, fresh. */
export const prepareRegistry = (): PreparedRegistry => REGISTRIES[REGISTRY].prepare(clock);

const tested = prepareRegistry().account('http://127.0.0.1:1', 'registry.test:5000');
const provider = providerFor(tested);

/** What its back end can do with the accounts of `World`. */
export const { capabilities: CAPABILITIES } = provider;

/** The region of those accounts; undefined where the registry has none. */
export const REGION: string | undefined = tested.regions?.[0]?.name;

/** Of tokens that ask for none; milliseconds. */
export const LIFETIME = lifetimeOf(provider);

/** Whether a token can live for ever. */
export const LIVES_FOR_EVER = CAPABILITIES.lifetimes.kind === 'range' && CAPABILITIES.lifetimes.never;

/** Whether the regions of an account can be at different APIs. */
export const HAS_ENDPOINTS: boolean = tested.regions?.[0]?.endpoint !== undefined;

const { operations } = prepareRegistry().fake.faults;

/** Whether the fake can be told to issue tokens that expired already, or that can't be read. */
export const SPOILS_TOKENS: boolean = operations.issuing.includes('mint');

/** Whether credentials are exchanged for an access token, with which requests are made. */
export const HAS_SESSIONS: boolean = operations.all.includes('exchange');

/** Whether lists show at once what was created and deleted: elsewhere it takes a minute and more to settle a request in doubt. */
export const LISTS_AT_ONCE = CAPABILITIES.settling.listing === 0;

/** Mocha's `it` and `describe` of the file at hand. */
interface Definers {
  readonly it: typeof it;
  readonly describe: typeof describe;
}

const DEFINING: Definers = {
  get it() {
    return it;
  },
  get describe() {
    return describe;
  },
};
const nothing = { timeout: () => nothing };
const define = (() => nothing) as unknown as Definers['it'] & Definers['describe'];

/** Defines specifications where the registry can do what they need; where it can't there are none, so that none is skipped. */
export const where = (holds: boolean): Definers => (holds ? DEFINING : { it: define, describe: define });

/** For what is about tokens that are created at the registry, and listed and revoked there. */
export const minted = where(CAPABILITIES.issue === 'minted');

/** The registry of an account as another client of it has it. */
export class OtherClient {
  readonly #registry: Registry;

  constructor({ credentials: data }: PreparedRegistry, spec: Partial<RegistryAccountSpec>) {
    const values = Object.entries(data).map(([key, value]) => [key, new Redacted(value)] as const);
    const { readCredentials } = providerFor(spec);
    const credentials = readCredentials(new Map(values));
    if ('problem' in credentials) throw new Error(credentials.problem);
    const metrics = { requested: () => undefined };
    const directory = new RegistryDirectory({ clock, userAgent: 'another', timeout: 10_000, metrics });
    const account = { name: 'another', credentials, requestsPerSecond: 1000 };
    this.#registry = directory.registry(account, spec.regions?.[0]?.name ?? '');
  }

  /** Issues a token without end for a RegistryToken. @returns its id and its value */
  async issue(tag: Tag): Promise<{ id: string; value: string }> {
    const { id, value } = await this.#registry.issue(
      {
        tag,
        specHash: '0123456789abcdef',
        description: describeToken('', tag),
        access: 'ReadOnly',
        lifetime: 'Never',
        scope: [],
      },
      new AbortController().signal,
    );
    return { id, value: value.reveal() };
  }

  async revoke(id: string): Promise<void> {
    await this.#registry.revoke?.(id, new AbortController().signal);
  }
}

function readName(text: string): RegistryName {
  const name = REGISTRY_NAMES.find((each) => each === text);
  if (name === undefined) throw new Error(`REGISTRY is ${text}, not one of ${REGISTRY_NAMES.join(', ')}`);
  return name;
}

function providerFor(spec: Partial<RegistryAccountSpec>): Provider {
  const found = providerOf(spec);
  if (!found) throw new Error('the spec names no registry');
  return found;
}

function lifetimeOf({ capabilities: { lifetimes } }: Provider): number {
  if (lifetimes.kind === 'fixed') return lifetimes.expected;
  return lifetimes.default === 'Never' ? Infinity : lifetimes.default;
}

import type { Ecr } from '../../sandbox/registries/ecr/ecr.ts';
import type { PreparedRegistry } from '../../sandbox/registries/registry-kind.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { isIntact, nameOf, payloadOf, unsettledOf } from '../support/audit.ts';
import type { SecretObject, World } from '../support/world.ts';
import type { Witness } from './witness.ts';

const MINUTE = 60_000;
/** All ask for one scope, with either access. */
const KINDS_OF_TOKENS = 2;

/**
 * Looks on where credentials are exchanged for tokens, which nobody can list: what a Secret holds opens what its RegistryToken asks
 * for, and no process exchanges more often than once a minute for each access.
 */
export class ExchangeWitness implements Witness {
  readonly #world: World;
  readonly #fake: Ecr;
  readonly #scope: string;
  readonly #outside: string;
  readonly #storms: string[] = [];
  #exchanges = 0;
  /** Of the process that runs. */
  #ofProcess = 0;
  #since = clock.monotonic();

  constructor(world: World, { fake, scopes }: PreparedRegistry) {
    this.#world = world;
    this.#fake = fake as Ecr;
    const [inside, outside] = scopes.map(({ name }) => name);
    if (inside === undefined || outside === undefined) throw new Error('the registry has two scopes');
    this.#scope = inside;
    this.#outside = outside;
    fake.on('issued', () => {
      this.#exchanges++;
      this.#ofProcess++;
      const allowed = KINDS_OF_TOKENS * (1 + Math.floor((clock.monotonic() - this.#since) / MINUTE));
      if (this.#ofProcess > allowed)
        this.#storms.push(`a process exchanged ${this.#ofProcess} tokens, ${allowed} are enough`);
    });
  }

  /** Whatever it was about to do, pods can go on pulling. */
  async killed(): Promise<void> {
    this.#ofProcess = 0;
    this.#since = clock.monotonic();
    const broken = (await this.#secrets()).filter((secret) => this.#opens(secret, this.#scope).length === 0);
    if (broken.length > 0)
      throw new Error(`nobody can pull with ${broken.map(({ metadata }) => metadata.name).join()}`);
  }

  async whenInOrder(milliseconds: number): Promise<RegistryToken[]> {
    return this.#world.eventually(
      'every RegistryToken is as asked for',
      async () => {
        const tokens = await this.#world.client.listAll<RegistryToken>(REGISTRY_TOKENS);
        const secrets = new Map((await this.#secrets()).map((secret) => [nameOf(secret), secret]));
        const wrong = tokens.flatMap((token) => {
          const problem = this.#problemOf(token, secrets.get(nameOf(token)));
          return problem === undefined ? [] : [`${nameOf(token)}: ${problem}`];
        });
        return wrong.length === 0
          ? { value: tokens }
          : { seen: `${wrong.length} wrong:\n${wrong.slice(0, 5).join('\n')}` };
      },
      milliseconds,
    );
  }

  figures(): string {
    return `${this.#exchanges} exchanges`;
  }

  complaints(): string[] {
    return this.#storms;
  }

  async left(): Promise<string[]> {
    const tokens = await this.#world.client.listAll<RegistryToken>(REGISTRY_TOKENS);
    return [...tokens, ...(await this.#secrets())].map(nameOf);
  }

  async #secrets(): Promise<SecretObject[]> {
    const secrets = await this.#world.client.listAll<SecretObject>(SECRETS);
    return secrets.filter(({ metadata }) => metadata.annotations?.['pullsecrets.dev/token-id'] !== undefined);
  }

  #problemOf(token: RegistryToken, secret: SecretObject | undefined): string | undefined {
    const { spec, status = {} } = token;
    const unsettled = unsettledOf(token);
    if (unsettled !== undefined) return unsettled;
    if (status.previousTokens) return 'records what nobody can look for or revoke';
    if (!secret) return 'has no Secret';
    if (!isIntact(secret)) return 'its Secret is damaged';
    const opened = this.#opens(secret, this.#scope).join();
    const asked = spec.access === 'ReadWrite' ? 'pull,push' : 'pull';
    if (opened !== asked) return `its Secret opens ${opened}, and ${asked} is asked for`;
    return this.#opens(secret, this.#outside).length > 0
      ? 'its Secret opens what is not in its scope'
      : undefined;
  }

  #opens(secret: SecretObject, repository: string): readonly string[] {
    const { auths } = JSON.parse(payloadOf(secret)) as { auths: Record<string, { password: string }> };
    const [password = ''] = Object.values(auths).map((each) => each.password);
    return this.#fake.permissionsOf(password, repository)?.actions ?? [];
  }
}

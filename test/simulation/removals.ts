import type { RegistryToken } from '../../src/api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { isChild } from '../../src/token/cluster-token/child.ts';
import { clusterTokensOf } from './cluster-token-audit.ts';
import type { Dice } from './dice.ts';
import type { Place } from './places.ts';
import { ACCOUNT_NAMES, type AccountName } from './registries/api-keys.ts';
import { DEFAULT_REGION, LAB, type RegionDefinition } from './registries/regions.ts';
import { fitting } from './wishes.ts';
import type { World } from './world.ts';

/**
 * What an administrator takes away for good, and how its users go elsewhere: at once where they know of it, when all is tidied
 * up where they came later. In half of the worlds it comes back then, in the others never.
 */
export class Removals {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #accounts = new Set<AccountName>();
  readonly #comeBack: boolean;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#comeBack = dice.chance(0.5);
  }

  /** Where mints are open. */
  get open(): readonly Place[] {
    return this.#world.tokens().flatMap(({ status }) => status?.mintIntent ?? []);
  }

  /** An account, though never the last: one where a mint is open, if there is any. */
  async account(): Promise<void> {
    const names = ACCOUNT_NAMES;
    const open = this.open.map(({ account }) => account);
    const name = this.#dice.pick(open.length > 0 ? names.filter((each) => open.includes(each)) : names);
    if (this.#accounts.size > 0) return;
    await this.#world.user.delete(REGISTRY_ACCOUNTS, { name });
    this.#accounts.add(name);
    this.#world.weather.trouble();
    await this.#moveUsers();
  }

  /** The region of an account that is not built in. */
  async region(): Promise<void> {
    const open = this.open.find(({ region }) => region === LAB);
    const name = (open?.account as AccountName | undefined) ?? this.#dice.pick(ACCOUNT_NAMES);
    await this.#setRegions(
      name,
      this.#regionsOf(name).filter((region) => region.name !== LAB),
    );
    this.#world.weather.trouble();
    await this.#moveUsers();
  }

  /** Nobody wants a token any more where there is nothing. */
  async tidyUp(): Promise<void> {
    const there = new Set(this.#world.accounts().map(({ metadata }) => metadata.name));
    for (const name of ACCOUNT_NAMES) {
      const removed = this.#accounts.has(name) && !this.#comeBack;
      if (!there.has(name) && !removed) await this.#world.createAccount(name);
      else if (there.has(name) && this.#comeBack) await this.#setRegions(name, this.#regionsOf(name));
    }
    await this.#moveUsers();
  }

  #regionsOf(name: AccountName): readonly RegionDefinition[] {
    return this.#world.registries.of(name).whereabouts(name).regions ?? [];
  }

  async #setRegions(name: AccountName, regions: readonly RegionDefinition[]): Promise<void> {
    if (!this.#world.registries.of(name).hasRegions) return;
    await this.#world.user.mergePatch(REGISTRY_ACCOUNTS, { name }, { spec: { regions } });
  }

  async #moveUsers(): Promise<void> {
    for (const token of this.#world.tokens()) {
      const { metadata } = token;
      const move = isChild(token) ? undefined : this.#elsewhere(token);
      if (move) await this.#world.user.mergePatch(REGISTRY_TOKENS, metadata, { spec: move });
    }
    for (const parent of clusterTokensOf(this.#world)) {
      const { metadata } = parent;
      const move = this.#elsewhere({ ...parent, spec: parent.spec.template.spec ?? {} });
      const spec = { template: { spec: move } };
      if (move) await this.#world.user.mergePatch(CLUSTER_REGISTRY_TOKENS, metadata, { spec });
    }
  }

  #elsewhere(token: Omit<RegistryToken, 'status'>): object | undefined {
    const { places, registries } = this.#world;
    const place = places.wantedBy(token, registries);
    if (places.has(place)) return undefined;
    const other = {
      account: place.account,
      region: registries.of(place.account).hasRegions ? DEFAULT_REGION : '',
    };
    const account = places.has(other)
      ? place.account
      : (ACCOUNT_NAMES.find((name) => !this.#accounts.has(name)) ?? place.account);
    return { accountRef: { name: account }, ...fitting(registries.of(account), token.spec, DEFAULT_REGION) };
  }
}

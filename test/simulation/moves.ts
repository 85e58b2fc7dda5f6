import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { Dice } from './dice.ts';
import type { AccountName } from './registries/api-keys.ts';
import type { Whereabouts } from './registries/provider.ts';
import type { World } from './world.ts';

/** How administrators edit where their accounts lead: to nowhere, to other registries, and back. */
export class Moves {
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** Edits a host, an endpoint or both, and what the account says of verification. */
  async edit(): Promise<void> {
    const dice = this.#dice;
    const accounts = this.#world.accounts();
    if (accounts.length === 0) return;
    const { metadata, spec } = dice.pick(accounts);
    const name = metadata.name as AccountName;
    const moved = this.#world.registries.of(name).move(dice, name, spec);
    await this.#set(name, moved, dice.pick(['Always', 'Never']));
  }

  /** Every account leads where it did at first. */
  async tidyUp(): Promise<void> {
    for (const { metadata, spec } of this.#world.accounts()) {
      const name = metadata.name as AccountName;
      const { regions = [], ...block } = this.#world.registries.of(name).whereabouts(name);
      // A region that was removed stays removed.
      const there = regions.filter((region) => spec.regions?.some((each) => each.name === region.name));
      await this.#set(name, { ...block, ...(regions.length > 0 && { regions: there }) }, 'Always');
    }
  }

  async #set(name: string, moved: Whereabouts, verify: string): Promise<void> {
    this.#world.weather.trouble();
    await this.#world.user.mergePatch(REGISTRY_ACCOUNTS, { name }, { spec: { ...moved, verify } });
  }
}

import { REGISTRY_ACCOUNTS } from '../../src/controller/shared/resources.ts';
import type { Dice } from './dice.ts';
import { definitionOf, endpointOf, hostOf, REGISTRIES } from './registries.ts';
import type { World } from './world.ts';

/** Where there is no registry. */
const NOWHERE = 'nowhere.test';

/** How administrators edit where the regions of their accounts lead: to nowhere, to other registries, and back. */
export class Moves {
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** Edits one region of an account, its host, its endpoint or both, and what the account says of verification. */
  async edit(): Promise<void> {
    const dice = this.#dice;
    const accounts = this.#world.accounts();
    if (accounts.length === 0) return;
    const { metadata, spec } = dice.pick(accounts);
    const regions = (spec.regions ?? []).map((region) => ({ ...region }));
    const region = dice.pick(regions);
    const registry = dice.pick(REGISTRIES);
    dice.pick([
      () => void (region.host = dice.pick([NOWHERE, hostOf(registry)])),
      () => void (region.endpoint = dice.pick([`https://api.${NOWHERE}`, endpointOf(registry)])),
      () => Object.assign(region, { host: hostOf(registry), endpoint: endpointOf(registry) }),
      () => Object.assign(region, { host: NOWHERE, endpoint: `https://api.${NOWHERE}` }),
      () => Object.assign(region, definitionOf(region.name)),
    ])();
    await this.#set(metadata.name, regions, dice.pick(['Always', 'Never']));
  }

  /** Every region leads where it did at first. */
  async tidyUp(): Promise<void> {
    for (const { metadata, spec } of this.#world.accounts()) {
      const regions = (spec.regions ?? []).map(({ name }) => definitionOf(name));
      await this.#set(metadata.name, regions, 'Always');
    }
  }

  async #set(name: string, regions: object[], verify: string): Promise<void> {
    this.#world.weather.trouble();
    await this.#world.user.mergePatch(REGISTRY_ACCOUNTS, { name }, { spec: { regions, verify } });
  }
}

import type { FakeRegistry } from '../../sandbox/registries/shared/fake-registry.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { whenInOrder } from '../support/audit.ts';
import { MintLedger } from '../support/mint-ledger.ts';
import type { Workload } from '../support/workload.ts';
import type { World } from '../support/world.ts';
import type { Witness } from './witness.ts';

/** Looks on where tokens are created: none too many, none lost. */
export class MintWitness implements Witness {
  readonly #world: World;
  readonly #fake: FakeRegistry;
  readonly #readBack: boolean;
  readonly #mints: MintLedger;
  #kills = 0;

  /** @param readBack whether the value of a token can be read again */
  constructor(world: World, fake: FakeRegistry, readBack: boolean) {
    this.#world = world;
    this.#fake = fake;
    this.#readBack = readBack;
    this.#mints = new MintLedger(fake);
  }

  killed(): Promise<void> {
    this.#kills++;
    return Promise.resolve();
  }

  async whenInOrder(milliseconds: number): Promise<RegistryToken[]> {
    const { tokens } = await whenInOrder(this.#world, milliseconds, this.#fake);
    return tokens;
  }

  figures(): string {
    return `${this.#mints.total} mints, ${this.#fake.tokens().length} tokens alive`;
  }

  complaints(workload: Workload): string[] {
    const repeated = this.#mints.repeated().map((uid) => `a revision of ${uid} was created twice`);
    // A value that was lost with a process is replaced, where it can't be read again.
    return [...repeated, ...workload.complaints(this.#mints, this.#readBack ? 0 : this.#kills)];
  }

  left(): Promise<string[]> {
    return Promise.resolve(this.#fake.left());
  }
}

import type { FakeRegistry } from '../../sandbox/registries/shared/fake-registry.ts';
import { readTag } from '../../src/token/sweep/tag.ts';

/** What a registry issued, by the RegistryToken that it was for. */
export class MintLedger {
  /** RegistryToken's uid -> revisions, in the order of their mints. */
  readonly #revisions = new Map<string, number[]>();

  constructor(registry: FakeRegistry) {
    registry.on('issued', ({ description }) => {
      const tag = readTag(description);
      if (!tag) throw new Error(`a token was issued without our tag: ${description}`);
      this.#revisions.set(tag.uid, [...this.revisions(tag.uid), tag.revision]);
    });
  }

  revisions(uid: string): readonly number[] {
    return this.#revisions.get(uid) ?? [];
  }

  get total(): number {
    return [...this.#revisions.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Uids of RegistryTokens for which a revision was minted more than once: two processes acted, or one did blindly. */
  repeated(): string[] {
    return [...this.#revisions].flatMap(([uid, all]) => (new Set(all).size < all.length ? [uid] : []));
  }
}

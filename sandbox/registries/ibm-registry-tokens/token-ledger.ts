import type { Clock } from '../../../src/common/clock.ts';
import type { RegistryToken } from './registry-token.ts';

export interface LedgerOptions {
  clock: Clock;
  /** What is there at the beginning. */
  tokens: readonly RegistryToken[];
  /** Called once for each token whose time is up, when that is noticed. */
  expired(token: RegistryToken): void;
  /** Makes a change last. When it throws, the change did not happen. */
  save(tokens: Iterable<RegistryToken>): void;
}

/** The tokens that are alive. One whose time is up is gone at the next look, whatever the look is for. */
export class TokenLedger {
  readonly #options: LedgerOptions;
  readonly #tokens: Map<string, RegistryToken>;
  /** No token expires before this; saves a walk over all of them at each look. */
  #earliestExpiry = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#tokens = new Map(options.tokens.map((token) => [token.id, token]));
  }

  add(token: RegistryToken): void {
    this.#tokens.set(token.id, token);
    this.#save(() => this.#tokens.delete(token.id));
    if (token.expiresAt !== null) this.#earliestExpiry = Math.min(this.#earliestExpiry, token.expiresAt);
  }

  remove(tokens: readonly RegistryToken[]): void {
    for (const { id } of tokens) this.#tokens.delete(id);
    this.#save(() => {
      for (const token of tokens) this.#tokens.set(token.id, token);
    });
  }

  get(id: string): RegistryToken | undefined {
    return this.#alive().get(id);
  }

  all(): RegistryToken[] {
    return [...this.#alive().values()];
  }

  of(account: string): RegistryToken[] {
    return this.all().filter((token) => token.account === account);
  }

  #save(undo: () => void): void {
    try {
      this.#options.save(this.#tokens.values());
    } catch (error) {
      undo();
      throw error;
    }
  }

  #alive(): Map<string, RegistryToken> {
    const now = this.#options.clock.now();
    if (now < this.#earliestExpiry) return this.#tokens;
    this.#earliestExpiry = Infinity;
    for (const token of this.#tokens.values()) {
      if (token.expiresAt === null) continue;
      if (token.expiresAt > now) {
        this.#earliestExpiry = Math.min(this.#earliestExpiry, token.expiresAt);
      } else {
        this.#tokens.delete(token.id);
        this.#options.expired(token);
      }
    }
    return this.#tokens;
  }
}

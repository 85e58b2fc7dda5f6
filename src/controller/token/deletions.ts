import type { RegistryToken } from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import type { Change } from '../../kube/cache/replica.ts';

/** As many RegistryTokens that are gone are remembered. */
const MAX_GONE = 10_000;

/** What the watches told of RegistryTokens being deleted, by uid. */
export class Deletions {
  readonly #clock: Clock;
  readonly #noticedAt = new Map<string, number>();
  readonly #gone = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onChange({ type, object: { metadata } }: Change<RegistryToken>): void {
    const { uid, deletionTimestamp } = metadata;
    if (type === 'deleted') {
      this.#noticedAt.delete(uid);
      this.#rememberGone(uid);
    } else if (deletionTimestamp !== undefined && !this.#noticedAt.has(uid)) {
      this.#noticedAt.set(uid, this.#clock.monotonic());
    }
  }

  /** When it became known that a RegistryToken is to go, in milliseconds of the monotonic clock; undefined for any other. */
  noticedAt(uid: string): number | undefined {
    return this.#noticedAt.get(uid);
  }

  /** Those seen to be gone, the latest of them. */
  gone(): Iterable<string> {
    return this.#gone;
  }

  #rememberGone(uid: string): void {
    this.#gone.add(uid);
    const [oldest] = this.#gone;
    if (this.#gone.size > MAX_GONE && oldest !== undefined) this.#gone.delete(oldest);
  }
}

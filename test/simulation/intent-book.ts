import type { MintIntent, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import type { Tag } from '../../src/token/sweep/tag.ts';

/** What tells one intent from all others, as it stands in its token's tag too. */
type Key = Pick<Tag, 'uid' | 'revision' | 'nonce'>;

/** Whether a token came, or would come, of an intent. */
export function isOf(
  { revision, nonce }: Pick<Key, 'revision' | 'nonce'>,
  intent: Pick<Key, 'revision' | 'nonce'> | undefined,
): boolean {
  return intent?.revision === revision && intent.nonce === nonce;
}

/** Every intent to create a token that the operator recorded. */
export class IntentBook {
  /** Times are milliseconds since 1970. */
  readonly #intents = new Map<
    string,
    { reason: string; recordedAt: number; undone: boolean; spec: RegistryTokenSpec }
  >();

  /** An intent stands recorded; what counts is the first time. */
  note(uid: string, intent: MintIntent, spec: RegistryTokenSpec, now: number): void {
    const key = keyOf({ uid, ...intent });
    if (!this.#intents.has(key))
      this.#intents.set(key, { reason: intent.reason, recordedAt: now, undone: false, spec });
  }

  /** A backup of that time was restored over the cluster: what was recorded since is in no record any more. */
  undoSince(time: number): void {
    for (const intent of this.#intents.values()) if (intent.recordedAt > time) intent.undone = true;
  }

  isUndone(key: Key): boolean {
    return this.#intents.get(keyOf(key))?.undone === true;
  }

  /** What the RegistryToken asked for when an intent was recorded; undefined as for `reasonOf`. */
  specOf(key: Key): RegistryTokenSpec | undefined {
    return this.#intents.get(keyOf(key))?.spec;
  }

  /** Why a token was to be created; undefined when its intent was recorded in another cluster. */
  reasonOf(key: Key): string | undefined {
    return this.#intents.get(keyOf(key))?.reason;
  }
}

function keyOf({ uid, revision, nonce }: Key): string {
  return `${uid} ${revision} ${nonce}`;
}

import type { TokenEvent } from './registries/provider.ts';

/** What is known of any token. */
export interface KnownToken {
  id: string;
  access: string;
  /** Names; empty: all. */
  scope: readonly string[];
  /** Milliseconds since 1970; null when it never expires. */
  expiresAt: number | null;
  revokedAt?: number | undefined;
}

/** A token that the operator created, as the registry knows it. */
export interface Mint extends KnownToken {
  uid: string;
  revision: number;
  nonce: string | undefined;
  mintedAt: number;
  revokedAt: number | undefined;
  /** Some status named it as the token in force. */
  inForce: boolean;
  /**
   * Nobody expected it any more when it came: the request was held up while another process, or another mint, took over.
   * Only a sweep finds it.
   */
  late: boolean;
  /** Its RegistryToken went without waiting for it to be revoked. Only a sweep finds it. */
  abandoned: boolean;
  /**
   * Its intent was given up, since its account or region was gone. Only a sweep finds it, once the place is back.
   */
  stranded: boolean;
}

const TAG = /\[pullsecrets\.dev:([^:\]]+):([^:\]]+):(\d+)(?::([a-z0-9]+))?\]$/;

/** Reads a tag without the operator's help. */
export function tagOf(
  description: string,
): { uid: string; revision: number; nonce: string | undefined } | undefined {
  const [, , uid, revision, nonce] = TAG.exec(description) ?? [];
  return uid === undefined ? undefined : { uid, revision: Number(revision), nonce };
}

/** Uid of the RegistryToken that a token, or what tokens hang on, was made for by its description. */
export function uidOf(description: string): string {
  return /^(?:.* )?\[pullsecrets\.dev:[^:\]]+:([^:\]]+):[^\]]*\]$/s.exec(description)?.[1] ?? '';
}

/** Every token that the operator ever created. */
export class MintBook {
  readonly #byId = new Map<string, Mint>();
  readonly #byUid = new Map<string, Mint[]>();
  /** Uids and revisions. */
  readonly #stranded = new Set<string>();

  /** @throws Error when the token says of nobody whose it is */
  add({ id, description, access, scope, expiresAt, time }: TokenEvent, late: boolean): Mint {
    const tag = tagOf(description);
    if (!tag) throw new Error(`a token was created without a tag: ${description}`);
    const stranded = this.#stranded.has(`${tag.uid} ${tag.revision}`);
    const origin = { id, ...tag, access, scope, expiresAt, mintedAt: time };
    const mint: Mint = {
      ...origin,
      revokedAt: undefined,
      inForce: false,
      late,
      abandoned: false,
      stranded,
    };
    this.#byId.set(id, mint);
    this.#byUid.set(tag.uid, [...this.of(tag.uid), mint]);
    return mint;
  }

  /** An intent was given up although a token may have come of it, or may still come. */
  strand(uid: string, revision: number): void {
    this.#stranded.add(`${uid} ${revision}`);
    for (const mint of this.of(uid)) if (mint.revision === revision && !mint.inForce) mint.stranded = true;
  }

  /** A book of its own with what stands in this one. */
  copy(): MintBook {
    const copy = new MintBook();
    for (const mint of this.all()) {
      copy.#byId.set(mint.id, { ...mint });
      copy.#byUid.set(mint.uid, []);
    }
    for (const mint of copy.all()) copy.#byUid.get(mint.uid)?.push(mint);
    for (const each of this.#stranded) copy.#stranded.add(each);
    return copy;
  }

  /** Forgets a token: what asked for it is undone. */
  remove({ id, uid }: Mint): void {
    this.#byId.delete(id);
    this.#byUid.set(
      uid,
      this.of(uid).filter((each) => each.id !== id),
    );
  }

  get(id: string | undefined): Mint | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  of(uid: string): readonly Mint[] {
    return this.#byUid.get(uid) ?? [];
  }

  all(): Mint[] {
    return [...this.#byId.values()];
  }
}

/** When a token died, or will; Infinity: not yet known. Milliseconds since 1970. */
export function deathOf({ revokedAt, expiresAt }: Pick<KnownToken, 'revokedAt' | 'expiresAt'>): number {
  return Math.min(revokedAt ?? Infinity, expiresAt ?? Infinity);
}

import { GROUP } from '../../api/names.ts';

/** Whose a token at the registry is: which cluster's, which RegistryToken's, which of its requests it came of. */
export interface Tag {
  clusterId: string;
  /** metadata.uid of the RegistryToken. */
  uid: string;
  revision: number;
  /**
   * Tells a request from one of the same revision that another cluster made with the same ids, such as one restored from a
   * backup of this one. Tokens of earlier releases have none.
   */
  nonce?: string | undefined;
}

/** A living token at a registry that carries a tag: this cluster's or another's. */
export interface TaggedToken {
  id: string;
  tag: Tag;
  /** Milliseconds since 1970; null when it never expires or the registry does not say. */
  expiresAt: number | null;
}

const NONCE_LENGTH = 8;
const PATTERN = new RegExp(
  `(?:^| )\\[${GROUP.replace('.', '\\.')}:([A-Za-z0-9.-]{1,63}):([A-Za-z0-9-]{1,63}):([1-9][0-9]{0,14})(?::([a-z0-9]{${NONCE_LENGTH}}))?\\]$`,
);

/**
 * The description a token gets at the registry: what the user wrote, then the tag. What the user wrote has no square
 * brackets (readTokenSpec refuses them), so it can't pass for a tag.
 */
export function describe(description: string, tag: Tag): string {
  const { clusterId, uid, revision, nonce } = tag;
  const marker = `[${[GROUP, clusterId, uid, revision, ...(nonce === undefined ? [] : [nonce])].join(':')}]`;
  return description === '' ? marker : `${description} ${marker}`;
}

/** Reads the tag at the end of a description. A description without one, or with a damaged one, is nobody's: undefined. */
export function readTag(description: string): Tag | undefined {
  const match = PATTERN.exec(description);
  if (!match) return undefined;
  const [, clusterId = '', uid = '', revision = '', nonce] = match;
  return { clusterId, uid, revision: Number(revision), ...(nonce !== undefined && { nonce }) };
}

/** Whether a token came of a request that is recorded as such. Revision and uid alone do not tell: see `Tag.nonce`. */
export function cameOf({ revision, nonce }: Tag, request: Pick<Tag, 'revision' | 'nonce'>): boolean {
  return revision === request.revision && nonce === request.nonce;
}

/** @param random in [0, 1) */
export function newNonce(random: number): string {
  return Math.floor(random * 36 ** NONCE_LENGTH)
    .toString(36)
    .padStart(NONCE_LENGTH, '0');
}

import { GROUP } from '../api/names.ts';

/** Whose a token at the registry is: which cluster's, which RegistryToken's, the how-manieth of it. */
export interface Tag {
  clusterId: string;
  /** metadata.uid of the RegistryToken. */
  uid: string;
  revision: number;
}

const PATTERN = new RegExp(
  `(?:^| )\\[${GROUP.replace('.', '\\.')}:([A-Za-z0-9.-]{1,63}):([A-Za-z0-9-]{1,63}):([1-9][0-9]{0,14})\\]$`,
);

/**
 * The description a token gets at the registry: what the user wrote, then the tag. What the user wrote has no square
 * brackets (readTokenSpec refuses them), so it can't pass for a tag.
 */
export function describe(description: string, tag: Tag): string {
  const marker = `[${GROUP}:${tag.clusterId}:${tag.uid}:${tag.revision}]`;
  return description === '' ? marker : `${description} ${marker}`;
}

/** Reads the tag at the end of a description. A description without one, or with a damaged one, is nobody's: undefined. */
export function readTag(description: string): Tag | undefined {
  const match = PATTERN.exec(description);
  if (!match) return undefined;
  const [, clusterId = '', uid = '', revision = ''] = match;
  return { clusterId, uid, revision: Number(revision) };
}

import type { RegistryToken } from '../api/registry-token.ts';

/** Of RegistryTokens that want one Secret the oldest gets it; of two made in the same second, the one first by name. */
export function isOlder({ metadata: a }: RegistryToken, { metadata: b }: RegistryToken): boolean {
  return a.creationTimestamp === b.creationTimestamp
    ? a.name < b.name
    : a.creationTimestamp < b.creationTimestamp;
}

/** The one that gets the Secret: the oldest of those that are not being deleted. */
export function winnerOf(claimants: readonly RegistryToken[]): RegistryToken | undefined {
  return claimants
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .reduce<RegistryToken | undefined>(
      (winner, each) => (winner && isOlder(winner, each) ? winner : each),
      undefined,
    );
}

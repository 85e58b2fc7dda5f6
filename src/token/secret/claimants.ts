import type { RegistryToken } from '../../api/registry-token.ts';

/** The RegistryTokens that have to do with a Secret beside the one that is looked at. */
export interface Others {
  /** Whether every RegistryToken of the cluster is known: then one that is not found does not exist. */
  complete: boolean;
  /** The RegistryToken of that uid, in whatever namespace; undefined: there is none. */
  find: (uid: string) => RegistryToken | undefined;
  /** Those in the namespace that want a Secret of the same name and give way: they are younger. */
  younger: readonly RegistryToken[];
}

/** The name of the Secret that a RegistryToken wants. */
export function wantedSecret({ metadata, spec }: RegistryToken): string {
  return spec.secret?.name ?? metadata.name;
}

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

/**
 * The others that want a RegistryToken's Secret.
 * @param claimants those that want it, this one among them or not
 * @returns the name of the one that gets it instead, and those that would get it if this one did not
 */
export function rank(
  token: RegistryToken,
  claimants: readonly RegistryToken[],
): { older: string | undefined; younger: RegistryToken[] } {
  const rivals = rivalsOf(token, claimants);
  const winner = winnerOf([token, ...rivals]);
  return {
    older: winner?.metadata.uid === token.metadata.uid ? undefined : winner?.metadata.name,
    younger: rivals.filter((rival) => isOlder(token, rival)),
  };
}

/** Whether another RegistryToken wants a Secret that this one has, or had. */
export function isWanted(token: RegistryToken, claimants: readonly RegistryToken[]): boolean {
  return rivalsOf(token, claimants).length > 0;
}

function rivalsOf(token: RegistryToken, claimants: readonly RegistryToken[]): RegistryToken[] {
  return claimants.filter(
    ({ metadata }) => metadata.uid !== token.metadata.uid && metadata.deletionTimestamp === undefined,
  );
}

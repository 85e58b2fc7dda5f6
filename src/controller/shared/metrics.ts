/** What the controllers count; labels are bounded. */
export interface TokenMetrics {
  minted(reason: string): void;
  revoked(result: 'success' | 'failure' | 'abandoned'): void;
  repaired(kind: string): void;
  /** Replaces an account's numbers of orphans by region. */
  orphans(account: string, byRegion: ReadonlyMap<string, number>): void;
  /** Replaces an account's numbers of tokens that carry this cluster's id and are unknown here, by region. */
  unknownTokens(account: string, byRegion: ReadonlyMap<string, number>): void;
}

/** What the controllers count; labels are bounded. */
export interface TokenMetrics {
  minted(reason: string): void;
  revoked(result: 'success' | 'failure' | 'abandoned'): void;
  repaired(kind: string): void;
}

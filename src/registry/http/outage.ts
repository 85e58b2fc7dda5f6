/** Why nothing is sent to a place at present. Times in milliseconds since 1970. */
export interface Outage {
  /** Down: several requests in a row had no answer. Paused: the registry asked to wait. */
  kind: 'Down' | 'Paused';
  /** Why, in words that stay the same while it lasts. */
  message: string;
  /** When the next request is sent. */
  retryAt: number;
  /** Whether a probe is under way. */
  isTried: boolean;
}

/** Why nothing is sent to a place at present. Times in milliseconds since 1970. */
export interface Outage {
  /** Down: it gave no answer, several times in a row. Paused: it asked to wait. */
  kind: 'Down' | 'Paused';
  /** What is the matter, the same words for as long as it lasts. */
  message: string;
  /** When it is to be asked again. */
  retryAt: number;
  /** Whether it is being asked now, so that the result is to be waited for. */
  isTried: boolean;
}

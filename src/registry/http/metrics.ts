/** Requests to registries and to the services that authenticate for them. */
export interface RegistryMetrics {
  /**
   * @param labels `code` is the HTTP status, or the code of the error where there was no answer
   * @param milliseconds from sending to the end of the answer
   */
  requested(
    labels: { account: string; region: string; operation: string; code: string | number },
    milliseconds: number,
  ): void;
}

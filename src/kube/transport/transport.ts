/** One call to the API server. */
export interface Call {
  method: string;
  /** Path with its parts already escaped, without query. */
  path: string;
  query?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  contentType?: string;
  accept?: string;
  /** Milliseconds for the whole call; for a stream, until its headers arrive. */
  timeout?: number;
  signal?: AbortSignal | undefined;
  /**
   * Called right before the first byte is sent, after every wait for credentials and connections. What it throws ends the
   * call, and nothing was sent.
   */
  guard?: () => void;
  /**
   * For lists: called with each of the answer's `items`, whose place takes what it returns. An answer over a network is read
   * item by item as it arrives, so that a page of large objects never is in memory as a whole.
   */
  keep?: ((item: unknown) => unknown) | undefined;
}

export interface StreamCall extends Omit<Call, 'guard' | 'keep'> {
  /** Milliseconds without a byte after which the stream counts as dead. */
  stallLimit: number;
  /** Told once when the server has accepted the stream. */
  onOpen?: () => void;
}

/** The way to an API server: HTTP in production, in-process in simulations. */
export interface Transport {
  /**
   * Sends a call and gives the parsed JSON answer.
   * @throws KubeError for every failure, except that an abort by the caller throws the signal's reason, and its guard what
   * that throws
   */
  request(call: Call): Promise<unknown>;
  /**
   * Gives the answer line by line. Ends when the server ends it.
   * @throws KubeError for every failure, a stall included, except that an abort by the caller throws the signal's reason
   */
  stream(call: StreamCall): AsyncIterable<string>;
  /** Waits for running requests, then closes every connection. */
  close(): Promise<void>;
}

/** Calls to the API server: rest_client_requests_total and its kin. */
export interface RequestMetrics {
  /**
   * @param code HTTP status; undefined when there was no answer
   * @param milliseconds until the answer's headers, or until the failure
   */
  requested(method: string, host: string, code: number | undefined, milliseconds: number): void;
}

export interface ReflectorMetrics {
  /** A watch or list showed life. */
  watchEvent(resource: string): void;
  /** A complete list arrived, the first one included. */
  relisted(resource: string): void;
  /** The server began to refuse the list or watch, or ceased to. */
  refused(resource: string, refused: boolean): void;
}

/** One queue: controller-runtime's workqueue_* metrics. */
export interface WorkQueueMetrics {
  added(key: string): void;
  started(key: string): void;
  finished(key: string): void;
  retried(): void;
}

export type ReconcileOutcome = 'success' | 'requeue_after' | 'error';

/** controller-runtime's controller_runtime_* metrics. */
export interface WorkerPoolMetrics {
  addController(controller: string, workers: number): void;
  /** Called when a reconcile begins; what it returns, when it ends. */
  start(controller: string): (outcome: ReconcileOutcome) => void;
  terminalError(controller: string): void;
  /** A reconcile failed by a mistake in the program. */
  panic(controller: string): void;
}

export interface LeaderMetrics {
  /** leader_election_master_status */
  leading(lease: string, leads: boolean): void;
}

import type { RegistryToken } from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import type { ObjectName } from '../../common/objects.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import type { PodCounts } from '../../token/workloads/pod-counts.ts';
import { Pace } from '../shared/pace.ts';

export interface PodCounterOptions {
  token: (name: ObjectName) => RegistryToken | undefined;
  /** undefined while pods are not known. */
  counts: (token: RegistryToken) => PodCounts | undefined;
  /** Called with a RegistryToken whose status has to say something else. */
  onChanged: (token: RegistryToken) => void;
  clock: Clock;
}

/** A node that fails, or a registry, changes the counts of all RegistryTokens: so many statuses follow in a second. */
const MAX_CHANGES_PER_SECOND = 20;

/** Compares what statuses say of pods with what there is. It writes none: whoever concludes a reconcile of the RegistryToken does. */
export class PodCounter {
  readonly #options: PodCounterOptions;
  readonly #pace: Pace;

  constructor(options: PodCounterOptions) {
    this.#options = options;
    this.#pace = new Pace(options.clock, MAX_CHANGES_PER_SECOND);
  }

  /** @throws the signal's reason */
  async reconcile(name: ObjectName, signal: AbortSignal): Promise<ReconcileResult> {
    const token = this.#options.token(name);
    if (!token || token.metadata.deletionTimestamp !== undefined) return undefined;
    const counts = this.#options.counts(token);
    const { pods } = token.status ?? {};
    if (!counts || (pods?.using === counts.using && pods.waiting === counts.waiting)) return undefined;
    await this.#pace.turn(signal);
    this.#options.onChanged(token);
    return undefined;
  }
}

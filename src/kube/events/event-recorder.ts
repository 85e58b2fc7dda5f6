import { sleep, type Clock } from '../../common/clock.ts';
import { endsWithin } from '../../common/deadline.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject } from '../../common/objects.ts';
import type { KubeClient } from '../client/client.ts';
import { KubeError } from '../client/errors.ts';
import { EventAggregator, type EventManifest, type EventType } from './event-aggregator.ts';
import { LeadershipLost } from '../election/leadership-lost.ts';
import { EVENTS } from '../client/resources.ts';

export interface EventRecorderOptions {
  client: KubeClient;
  clock: Clock;
  /** A qualified name such as `example.com/operator`. */
  component: string;
  /** This process. */
  instance: string;
  logger: Logger;
}

/** Events that may wait for the server; later ones are dropped (client-go's broadcaster holds as many). */
const MAX_WAITING = 1_000;
/** Waits in milliseconds before an event is tried again; then it is dropped. */
const RETRY_WAITS = [1_000, 4_000];
/** The longest a flush takes. */
const FLUSH_TIME = 5_000;

/**
 * Writes Events (events.k8s.io/v1), one at a time in the background. Events are a courtesy to people: they never delay or
 * fail what they tell of.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #aggregator: EventAggregator;
  /** By name, so that a series that grows while it waits is written once. */
  readonly #waiting = new Map<string, EventManifest>();
  #writing: Promise<void> | undefined;
  #giveUp = new AbortController();

  constructor({ client, clock, component, instance, logger }: EventRecorderOptions) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
    this.#aggregator = new EventAggregator(clock, component, instance);
  }

  /**
   * Notes that something happened to an object. Returns at once and never throws.
   * @param reason in UpperCamelCase, for programs
   * @param note for people; cut to 1024 bytes
   * @param occasion what tells it from Warnings of the same reason that are another series; default nothing
   */
  event(regarding: KubeObject, type: EventType, reason: string, note: string, occasion = ''): void {
    const event = this.#aggregator.add({ regarding, type, reason, note, occasion });
    if (!event) return;
    const { name } = event.metadata;
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(name)) {
      this.#logger.debug({ reason, regarding: regarding.metadata.name }, 'Event dropped: too many wait');
      return;
    }
    this.#waiting.set(name, event);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** Resolves when what waits has been written or dropped; after five seconds the rest is dropped, what is under way included. */
  async flush(): Promise<void> {
    if (!this.#writing) return;
    if (!(await endsWithin(this.#clock, FLUSH_TIME, this.#writing))) this.#dropAll();
  }

  /** A request that gets no answer would keep a process for a minute that is about to end. */
  #dropAll(): void {
    this.#waiting.clear();
    this.#giveUp.abort(new Error(`not written within ${FLUSH_TIME / 1000} s`));
    this.#giveUp = new AbortController();
  }

  async #write(): Promise<void> {
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const [name, event] = next;
      this.#waiting.delete(name);
      try {
        await this.#send(event);
      } catch (error) {
        if (error instanceof LeadershipLost) return this.#dropWaiting();
        const fields = {
          reason: event['reason'],
          regarding: event['regarding'],
          error: (error as Error).message,
        };
        if (namespaceGoes(error)) this.#logger.debug(fields, 'Event dropped: its namespace is being deleted');
        else this.#logger.warn(fields, 'Event dropped');
      }
    }
  }

  /** Whoever leads by now tells of what it does itself. */
  #dropWaiting(): void {
    this.#logger.info({ events: this.#waiting.size + 1 }, 'Events dropped: this process no longer leads');
    this.#waiting.clear();
  }

  async #send(event: EventManifest): Promise<void> {
    const { signal } = this.#giveUp;
    for (const wait of [...RETRY_WAITS, undefined]) {
      try {
        return await this.#put(event, signal);
      } catch (error) {
        const retryable = error instanceof KubeError && error.isRetryable;
        if (!retryable || wait === undefined) throw error;
        await sleep(this.#clock, Math.max(wait, error.retryAfter ?? 0), signal);
      }
    }
  }

  /** Grows the series of an Event that is there, else creates it. One that is there already was created by an earlier try. */
  async #put(event: EventManifest, signal: AbortSignal): Promise<void> {
    const { series, metadata } = event;
    try {
      if (series) await this.#client.mergePatch(EVENTS, metadata, { series }, { signal });
      else await this.#client.create(EVENTS, event, { signal });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (series && error.isNotFound) await this.#client.create(EVENTS, event, { signal });
      else if (!error.isAlreadyExists) throw error;
    }
  }
}

/** A namespace that is being deleted takes no new Event, and none at all once it is gone. */
function namespaceGoes(error: unknown): boolean {
  return error instanceof KubeError && (error.isNamespaceTerminating || error.isNotFound);
}

import type { Clock } from '../../common/clock.ts';
import type { KubeObject } from '../../common/objects.ts';
import { microTime } from '../election/micro-time.ts';
import { apiVersionOf, EVENTS } from '../client/resources.ts';

export type EventType = 'Normal' | 'Warning';

/** An Event of events.k8s.io/v1 as it is written. */
export interface EventManifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  action: string;
  reason: string;
  type: EventType;
  note: string;
  regarding: {
    apiVersion: string;
    kind: string;
    namespace?: string;
    name: string;
    uid: string;
    resourceVersion: string;
  };
  series?: { count: number; lastObservedTime: string };
}

export interface Occurrence {
  regarding: KubeObject;
  type: EventType;
  reason: string;
  note: string;
  /** What tells it from Warnings of the same reason that are another series. */
  occasion: string;
}

/** What happened again within this time is the same series (client-go, tools/events). */
const SERIES_TIME = 6 * 60_000;
/** Writes per object: so many at once, then one per interval (client-go, tools/record/events_cache.go). */
const BURST = 25;
const REFILL_TIME = 5 * 60_000;
/** The server refuses longer names of objects (RFC 1123 subdomain); in characters. */
const MAX_NAME_LENGTH = 253;
/** The server refuses longer notes; in bytes. */
const MAX_NOTE_LENGTH = 1024;

interface Series {
  event: EventManifest;
  count: number;
  lastSeen: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Turns what happens into Events: repetitions into a series, and no more of them than the rate limit allows. */
export class EventAggregator {
  readonly #clock: Clock;
  readonly #component: string;
  readonly #instance: string;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, Bucket>();
  #made = 0;

  constructor(clock: Clock, component: string, instance: string) {
    this.#clock = clock;
    this.#component = component;
    this.#instance = instance;
  }

  /** The Event to write, new or with its series grown; undefined when the object has had too many. */
  add(occurrence: Occurrence): EventManifest | undefined {
    const { regarding } = occurrence;
    const now = this.#clock.monotonic();
    this.#expire(now);
    const key = seriesKey(occurrence);
    const series = this.#series.get(key) ?? { event: this.#event(occurrence), count: 0, lastSeen: now };
    series.count++;
    series.lastSeen = now;
    // Put in again, so that the map stays in the order in which series were last seen.
    this.#series.delete(key);
    this.#series.set(key, series);
    if (!this.#allow(regarding.metadata.uid, now)) return undefined;
    if (series.count === 1) return series.event;
    return {
      ...series.event,
      series: { count: series.count, lastObservedTime: microTime(this.#clock.now()) },
    };
  }

  #event({ regarding, type, reason, note }: Occurrence): EventManifest {
    const { name, namespace, uid, resourceVersion } = regarding.metadata;
    const { apiVersion, kind } = regarding;
    const unique = (this.#clock.now() * 1000 + (this.#made++ % 1000)).toString(16);
    return {
      apiVersion: apiVersionOf(EVENTS),
      kind: EVENTS.kind,
      metadata: { name: eventName(name, unique), namespace: namespace ?? 'default' },
      eventTime: microTime(this.#clock.now()),
      reportingController: this.#component,
      reportingInstance: this.#instance.slice(0, 128),
      action: reason,
      reason,
      type,
      note: shortened(note),
      regarding: { apiVersion, kind, name, uid, resourceVersion, ...(namespace && { namespace }) },
    };
  }

  #allow(uid: string, now: number): boolean {
    const bucket = this.#buckets.get(uid) ?? { tokens: BURST, filledAt: now };
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.filledAt) / REFILL_TIME);
    bucket.filledAt = now;
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** Forgets series that are over and buckets that are full again; both maps are in order of last use. */
  #expire(now: number): void {
    for (const [key, { lastSeen }] of this.#series) {
      if (now - lastSeen <= SERIES_TIME) break;
      this.#series.delete(key);
    }
    for (const [uid, { tokens, filledAt }] of this.#buckets) {
      if (tokens + (now - filledAt) / REFILL_TIME < BURST) break;
      this.#buckets.delete(uid);
    }
  }
}

/**
 * What makes two occurrences one series. Warnings about one version of a spec are one whatever their notes say, as client-go
 * has it: the same trouble comes with another request id or time at each try, and the API server lets no note be changed. Those
 * that tell of something else each time say so by their occasion. A Normal event tells of one thing that was done, so that its
 * note counts.
 */
function seriesKey({ regarding: { metadata }, type, reason, occasion, note }: Occurrence): string {
  const which = type === 'Normal' ? note : (metadata.generation ?? null);
  return JSON.stringify([metadata.uid, type, reason, occasion, which]);
}

/** What follows a dot must begin with a letter or digit, and what stands before one must end with one. */
function eventName(name: string, unique: string): string {
  const room = MAX_NAME_LENGTH - unique.length - 1;
  return `${name.slice(0, room).replace(/[^a-z0-9]+$/, '')}.${unique}`;
}

/** Cut to what the server takes, at a character. */
function shortened(note: string): string {
  if (Buffer.byteLength(note) <= MAX_NOTE_LENGTH) return note;
  const ellipsis = '…';
  const room = MAX_NOTE_LENGTH - Buffer.byteLength(ellipsis);
  return new TextDecoder().decode(Buffer.from(note).subarray(0, room)).replace(/\uFFFD+$/, '') + ellipsis;
}

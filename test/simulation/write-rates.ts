/** Writes of one object in that many milliseconds, whatever fights over it; a status has retries of revocations too. */
const MAX_SECRET_WRITES = 20;
const MAX_STATUS_WRITES = 200;
const WRITES_WITHIN = 10 * 60_000;

/** How often objects are written. */
export class WriteRates {
  /** When an object was written, by path; monotonic milliseconds. */
  readonly #times = new Map<string, number[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** An object is written. @returns what is wrong, where that is too often */
  note(path: string): string | undefined {
    const now = this.#now();
    const recent = (this.#times.get(path) ?? []).filter((time) => time > now - WRITES_WITHIN);
    this.#times.set(path, [...recent, now]);
    const most = path.includes('/secrets/') ? MAX_SECRET_WRITES : MAX_STATUS_WRITES;
    return recent.length >= most
      ? `${path} was written ${recent.length + 1} times within minutes`
      : undefined;
  }
}

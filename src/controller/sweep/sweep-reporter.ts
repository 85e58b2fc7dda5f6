import { firstOf } from '../../api/syntax/text.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { Orphan, UnknownToken } from '../../token/sweep/unused-tokens.ts';
import { fieldsOf, where, type Look } from './look.ts';

export interface SweepReporterOptions {
  events: EventRecorder;
  logger: Logger;
  clusterId: string;
}

/** Ids named in an event; the log has all of them. */
const MAX_NAMED = 10;

/** Tells, once each, of tokens at one place that the sweep found and leaves alone. */
export class SweepReporter {
  readonly #options: SweepReporterOptions;
  /** Those told of already. */
  #told = new Set<string>();
  #unknown: readonly UnknownToken[] = [];

  constructor(options: SweepReporterOptions) {
    this.#options = options;
  }

  /** Tokens that are unknown here, by the last report. */
  get unknown(): readonly UnknownToken[] {
    return this.#unknown;
  }

  /** What is not found any more is told of again when it is. */
  keepOnly(isFound: (id: string) => boolean): void {
    this.#told = new Set([...this.#told].filter(isFound));
  }

  /** With `--sweep=report`. */
  reportOrphans(look: Look, certain: readonly Orphan[]): void {
    const { logger, events } = this.#options;
    const untold = this.#untold(certain);
    for (const orphan of untold)
      logger.warn(fieldsOf(look, orphan), 'orphan token found; --sweep=report leaves it alone');
    if (untold.length === 0) return;
    const what = 'nothing in the cluster uses them; --sweep=report leaves them alone';
    const note = noteOn(untold, look.region, what);
    events.event(look.account, 'Warning', 'OrphanFound', note, note);
  }

  reportUnknown(look: Look, certain: readonly UnknownToken[]): void {
    const { logger, clusterId, events } = this.#options;
    const { account, region } = look;
    if (this.#unknown.length > 0 && certain.length === 0) {
      const note = `no token${where(region)} is left that carries this cluster id (${clusterId}) and was not issued here`;
      events.event(account, 'Normal', 'Recovered', note);
    }
    this.#unknown = certain;
    const untold = this.#untold(certain);
    for (const token of untold)
      logger.warn(fieldsOf(look, token), 'token found that carries this cluster id and was not issued here');
    if (untold.length === 0) return;
    const what = `they carry this cluster id (${clusterId}), but their RegistryTokens here did not ask for them: another cluster seems to use the same cluster id; they are not revoked`;
    const note = noteOn(untold, region, what);
    events.event(account, 'Warning', 'ClusterIdConflict', note, note);
  }

  #untold<T extends { id: string }>(tokens: readonly T[]): T[] {
    const untold = tokens.filter(({ id }) => !this.#told.has(id));
    for (const { id } of untold) this.#told.add(id);
    return untold;
  }
}

/** One note for all that a look found: of one event for each, an account with many would get a few and lose the rest. */
function noteOn(tokens: readonly UnknownToken[], region: string, what: string): string {
  const ids = tokens.map(({ id }) => id);
  // The ids last: where the note is too long, it is they that are cut.
  return `tokens${where(region)}: ${ids.length}; ${what}: ${firstOf(ids, MAX_NAMED)}`;
}

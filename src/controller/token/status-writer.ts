import { isDeepStrictEqual } from 'node:util';
import { mostImportant, withConditions, type ConditionUpdate } from '../../api/conditions.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { newsOf } from '../../token/lifecycle/news.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { TokenClient } from './token-client.ts';

export interface StatusWriterOptions {
  tokens: Pick<TokenClient, 'writeStatus'>;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
  clock: Clock;
}

/**
 * Writes the status of RegistryTokens, and tells of what began or ended with it: one event and one log line for whatever keeps
 * a RegistryToken from its token, and one of each when that is over. What was told stands in the status that it is told with, so
 * that no other process tells it again.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes a status and its conditions, if anything changes.
   * @param token as stored
   * @returns the RegistryToken as stored now
   * @throws KubeError; then nothing is told
   */
  async write(
    token: RegistryToken,
    status: RegistryTokenStatus,
    updates: readonly ConditionUpdate[],
    signal: AbortSignal,
  ): Promise<RegistryToken> {
    const next = withConditions(token, status, updates, toTime(this.#options.clock.now()));
    if (isDeepStrictEqual(next, token.status)) return token;
    const written = await this.#options.tokens.writeStatus(token, next, signal);
    this.#tell(token, updates);
    return written;
  }

  #tell(token: RegistryToken, updates: readonly ConditionUpdate[]): void {
    const { events, logger } = this.#options;
    const now = mostImportant(updates);
    const news = now && newsOf(token.status?.reason, now);
    if (!news) return;
    const { reason, message } = news;
    const fields = { ...idsOf(token), reason };
    if (news.what === 'begun') {
      logger.warn(fields, message);
      events.event(token, 'Warning', reason, message);
    } else {
      logger.info(fields, message);
      events.event(token, 'Normal', 'Recovered', message);
    }
  }
}

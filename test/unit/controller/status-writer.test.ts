import { expect } from 'chai';
import type { ConditionUpdate } from '../../../src/api/conditions.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import type { Reason } from '../../../src/api/reasons.ts';
import { StatusWriter } from '../../../src/controller/token/status-writer.ts';
import { aToken, ISSUED } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const { signal } = new AbortController();

/** A RegistryToken in a cluster, and processes that write its status one after the other. */
class Stage {
  token: RegistryToken = aToken();
  writes = 0;
  /** Refuses what is written. */
  conflict = false;
  readonly logs = new Logs();
  readonly events: string[] = [];
  readonly #clock = new VirtualClock(ISSUED);

  /** Another process finds this out. */
  async finds(reason: Reason, message = 'as it is'): Promise<void> {
    const writer = new StatusWriter({
      tokens: { writeStatus: (_, status) => this.#write(status) },
      events: { event: (_, type, what, note) => void this.events.push(`${type} ${what}: ${note}`) },
      logger: this.logs,
      clock: this.#clock,
    });
    const well = reason === 'Issued';
    const ready: ConditionUpdate = { type: 'Ready', status: well ? 'True' : 'False', reason, message };
    const updates = well ? [ready] : [ready, { ...ready, type: 'Reconciling' as const }];
    await writer.write(this.token, this.token.status ?? {}, updates, signal);
  }

  #write(status: RegistryTokenStatus): Promise<RegistryToken> {
    if (this.conflict) return Promise.reject(new Error('conflict'));
    this.writes++;
    this.token = { ...this.token, status };
    return Promise.resolve(this.token);
  }
}

describe('a status that is written', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('is told of when trouble begins and when it ends, once each, by event and log line', async () => {
    for (const message of ['no answer (request 1)', 'no answer (request 2)', 'no answer (request 3)'])
      await stage.finds('RegistryUnavailable', message);
    for (let look = 0; look < 3; look++) await stage.finds('Issued', 'the Secret holds a token');
    expect(stage.events).to.deep.equal([
      'Warning RegistryUnavailable: no answer (request 1)',
      'Normal Recovered: RegistryUnavailable is over: the Secret holds a token',
    ]);
    expect(stage.logs.lines.map(({ level, message }) => `${level} ${message}`)).to.deep.equal([
      'warn no answer (request 1)',
      'info RegistryUnavailable is over: the Secret holds a token',
    ]);
    expect(stage.logs.lines[0]?.fields).to.include({ name: 'app', reason: 'RegistryUnavailable' });
  });

  it('is not written when it says nothing new', async () => {
    for (let look = 0; look < 3; look++) await stage.finds('AccountNotFound');
    expect(stage.writes).to.equal(1);
  });

  it('is not told of where it could not be written: the next who finds it so tells it', async () => {
    stage.conflict = true;
    await stage.finds('AccountNotFound').catch(() => undefined);
    expect(stage.events).to.deep.equal([]);
    stage.conflict = false;
    await stage.finds('AccountNotFound');
    expect(stage.events).to.have.length(1);
  });
});

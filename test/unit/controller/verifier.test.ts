import { expect } from 'chai';
import { Redacted } from '../../../src/common/redacted.ts';
import type { Attempt } from '../../../src/registry/login-probe/login-probe.ts';
import type { MintIntent } from '../../../src/api/registry-token.ts';
import type { Verdict } from '../../../src/common/verdict.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { Verifier, type VerifierOptions } from '../../../src/controller/token/verifier.ts';
import type { Ruling, Stake } from '../../../src/token/decide/verification.ts';
import {
  ANOTHER_PLACE,
  anIntent,
  aToken,
  aWanted,
  DAY,
  HOST,
  ISSUED,
  SECOND,
} from '../../support/builders.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const { signal } = new AbortController();
const TOKEN = aToken();
const INTENT = anIntent();
const ISSUE = { id: 'token-2', username: 'token', value: new Redacted('a value'), expiresAt: ISSUED + DAY };
const REFUSED: Verdict = { answer: 'refused', message: 'us.icr.io answered 401' };
const UNKNOWN: Verdict = { answer: 'unknown', message: 'us.icr.io could not be asked' };
const ACCEPTED: Verdict = { answer: 'accepted' };

/** A verifier of a process that has just begun, at a registry that says one thing after another. */
class Scene {
  readonly clock = new VirtualClock(ISSUED);
  verdicts: Verdict[] = [];
  tries = 0;
  /** What tokens were tried to be good for. */
  readonly attempts: object[] = [];
  /** Hosts that were gone to. */
  readonly hostBreakers: string[] = [];
  /** Why they can't be. */
  failure: Error | undefined;
  /** Milliseconds that the registry may refuse what it just made. */
  acceptance = 0;
  /** Of the account. */
  version = '1';
  /** Whether the account says that tokens are to be tried. */
  isTried = true;
  #verifier = this.#begin();

  verify(stake: Stake = 'nothing', host = HOST, intent = INTENT, issued = ISSUE): Promise<Ruling> {
    const wanted = aWanted({ host, settling: { acceptance: this.acceptance } });
    return this.#verifier.verify(TOKEN.metadata.uid, intent, issued, wanted, stake, signal);
  }

  /** Another process takes over, and finds the intent in this phase. */
  restart(phase: MintIntent['phase']): void {
    this.#verifier = this.#begin();
    this.recall(phase);
  }

  recall(phase: MintIntent['phase']): void {
    this.#verifier.recall(TOKEN.metadata.uid, { ...INTENT, phase });
  }

  #begin(): Verifier {
    const probe = {
      try: ({ username, password, ...what }: Attempt): Promise<Verdict> => {
        this.tries++;
        this.attempts.push(what);
        expect([username, password.reveal()]).to.deep.equal(['token', 'a value']);
        return Promise.resolve(this.verdicts.shift() ?? REFUSED);
      },
    };
    const sessions = {
      loginProbe: (account: string, region: string, host: string) => {
        this.hostBreakers.push(`${host} of ${account}/${region}`);
        if (this.failure) throw this.failure;
        return probe;
      },
      verifies: () => this.isTried,
      version: () => this.version,
    };
    return new Verifier({
      sessions: sessions as unknown as VerifierOptions['sessions'],
      memory: new Memory(),
      clock: this.clock,
    });
  }
}

describe('a new token that waits for its Secret', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  for (const [what, verdict, doubt] of [
    ['that was accepted is not tried again, whatever the registry would say', ACCEPTED, undefined],
    ['that nobody could be asked about is not asked about again', UNKNOWN, UNKNOWN.message],
  ] as const)
    it(what, async () => {
      scene.verdicts = [verdict];
      for (const seconds of [0, 1, 60, 3_600]) {
        await scene.clock.advance(seconds * SECOND);
        expect(await scene.verify()).to.deep.equal({ action: 'use', doubt });
      }
      expect(scene.tries).to.equal(1);
    });

  it('is tried though one of another registry with its identifier and revision was accepted', async () => {
    scene.verdicts = [ACCEPTED, ACCEPTED];
    await scene.verify();
    await scene.verify('nothing', HOST, { ...INTENT, place: ANOTHER_PLACE });
    expect(scene.tries).to.equal(2);
  });

  it('is tried at the host that is wanted, of its own account and region', async () => {
    await scene.verify('host', 'moved.example');
    expect(scene.hostBreakers).to.deep.equal(['moved.example of default/us-south']);
  });

  it('is not known to be accepted where its host can not be gone to', async () => {
    scene.failure = new RegistryError('Unavailable', 'the account has changed');
    expect(await scene.verify()).to.deep.equal({ action: 'use', doubt: 'the account has changed' });
  });

  it('is tried again where something is wrong with the program', async () => {
    scene.failure = new Error('a mistake');
    const error: unknown = await scene.verify().catch((each: unknown) => each);
    expect(error).to.equal(scene.failure);
  });

  it('is refused for good half a minute after the first try, also where each try has a token of its own, as at ECR', async () => {
    const actions: string[] = [];
    for (const seconds of [0, 10, 19, 2]) {
      await scene.clock.advance(seconds * SECOND);
      const startedAt = new Date(scene.clock.now()).toISOString();
      const { action } = await scene.verify('nothing', HOST, { ...INTENT, startedAt });
      actions.push(action);
    }
    expect(actions).to.deep.equal(['wait', 'wait', 'wait', 'refuse']);
  });

  it('is tried though another of the same revision was accepted, as after an exchange for another scope', async () => {
    scene.verdicts = [ACCEPTED, REFUSED];
    await scene.verify();
    const { action } = await scene.verify('nothing', HOST, INTENT, { ...ISSUE, id: 'token-3' });
    expect([action, scene.tries]).to.deep.equal(['wait', 2]);
  });

  it('is tried again where other things are at stake', async () => {
    scene.verdicts = [ACCEPTED, ACCEPTED];
    await scene.verify('nothing');
    await scene.verify('token');
    expect(scene.tries).to.equal(2);
  });

  it('that one host accepted is tried at another before it gets there', async () => {
    scene.verdicts = [ACCEPTED, UNKNOWN];
    expect(await scene.verify('host')).to.deep.equal({ action: 'use', doubt: undefined });
    const { keepsHost } = (await scene.verify('host', 'moved.example')) as { keepsHost?: object };
    expect(keepsHost).to.deep.equal({ refused: false, message: UNKNOWN.message });
    expect(scene.tries).to.equal(2);
  });

  it('that nobody could be asked about is tried again once a Secret is to be adopted for it', async () => {
    scene.verdicts = [UNKNOWN, UNKNOWN];
    expect(await scene.verify()).to.include({ action: 'use' });
    expect(await scene.verify('adopted')).to.include({ action: 'wait' });
  });

  it('is tried for the access and the scope that its intent says', async () => {
    scene.verdicts = [ACCEPTED];
    await scene.verify('nothing', HOST, anIntent({ access: 'ReadWrite', scope: ['team-a'] }));
    expect(scene.attempts).to.deep.equal([{ access: 'ReadWrite', scope: ['team-a'] }]);
    scene.restart('Announced');
    await scene.verify();
    expect(scene.attempts[1]).to.deep.equal({ access: 'ReadOnly', scope: [] });
  });

  it('is not given up while the registry may refuse what it just made', async () => {
    scene.acceptance = 300 * SECOND;
    for (let elapsed = 0; elapsed < 300; elapsed += 30) {
      expect(await scene.verify(), `after ${elapsed} s`).to.include({ action: 'wait' });
      await scene.clock.advance(30 * SECOND);
    }
    expect(await scene.verify()).to.include({ action: 'refuse' });
  });

  it('that was refused is left alone until it is time', async () => {
    expect(await scene.verify()).to.include({ action: 'wait' });
    expect(await scene.verify()).to.include({ action: 'wait' });
    expect(scene.tries).to.equal(1);
    await scene.clock.advance(SECOND);
    scene.verdicts = [ACCEPTED];
    expect(await scene.verify()).to.include({ action: 'use' });
  });

  it('that was refused is tried at once when its account changes, and is not new for that', async () => {
    await scene.clock.advance(3_600 * SECOND);
    await scene.verify();
    scene.version = '2';
    expect(await scene.verify()).to.include({ action: 'refuse' });
    expect(scene.tries).to.equal(2);
  });

  it('that was refused is used at once when its account says that tokens are not to be tried', async () => {
    await scene.verify();
    Object.assign(scene, { version: '2', isTried: false });
    expect(await scene.verify()).to.deep.equal({ action: 'use', doubt: undefined });
    expect(scene.tries).to.equal(1);
  });

  it('that was refused is not used after a restart because the registry can not be asked then', async () => {
    await scene.verify();
    scene.restart('Verifying');
    scene.verdicts = [UNKNOWN, UNKNOWN];
    expect(await scene.verify()).to.include({ action: 'wait' });
    await scene.clock.advance(30 * SECOND);
    const ruling = await scene.verify();
    expect(ruling.action).to.equal('refuse');
    expect('failure' in ruling && ruling.failure.message).to.match(
      /refused it before the operator was restarted/,
    );
  });

  it('that was not refused is used after a restart, if the registry can not be asked then', async () => {
    scene.restart('Announced');
    scene.verdicts = [UNKNOWN];
    expect(await scene.verify()).to.include({ action: 'use' });
  });

  it('that was accepted meanwhile stays so, whatever the status still says', async () => {
    scene.verdicts = [ACCEPTED];
    await scene.verify();
    scene.recall('Verifying');
    expect(await scene.verify()).to.include({ action: 'use' });
    expect(scene.tries).to.equal(1);
  });

  it('is given up after two refusals at the earliest, however old it is', async () => {
    await scene.clock.advance(3_600 * SECOND);
    expect(await scene.verify()).to.include({ action: 'wait' });
    await scene.clock.advance(SECOND);
    expect(await scene.verify()).to.include({ action: 'refuse' });
  });

  it('for a Secret to be adopted is used only when it was seen to be accepted, however long that takes', async () => {
    for (let tries = 0; tries < 5; tries++) {
      scene.verdicts = [UNKNOWN];
      expect(await scene.verify('adopted')).to.deep.equal({
        action: 'wait',
        refusal: undefined,
        message: `whether it does is not known, and a Secret is adopted only when it is: ${UNKNOWN.message}`,
        until: scene.clock.now() + 30 * SECOND,
      });
      await scene.clock.advance(30 * SECOND);
    }
    scene.restart('Verifying');
    scene.verdicts = [UNKNOWN];
    expect(await scene.verify('adopted')).to.include({ action: 'wait' });
    await scene.clock.advance(30 * SECOND);
    scene.verdicts = [ACCEPTED];
    expect(await scene.verify('adopted')).to.deep.equal({ action: 'use', doubt: undefined });
  });

  it('for a Secret to be adopted is not given up at its first refusal, though nothing was known for long', async () => {
    scene.verdicts = [UNKNOWN];
    await scene.verify('adopted');
    await scene.clock.advance(60 * SECOND);
    scene.verdicts = [REFUSED];
    expect(await scene.verify('adopted')).to.include({ action: 'wait', refusal: REFUSED.message });
  });
});

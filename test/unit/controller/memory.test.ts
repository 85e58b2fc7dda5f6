import { expect } from 'chai';
import { Redacted } from '../../../src/common/redacted.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import type { TokenKey } from '../../../src/token/lifecycle/place.ts';
import { aKey, anIntent, ANOTHER_PLACE, PLACE } from '../../support/builders.ts';

const UID = 'uid-of-app';
const ISSUED = { id: 'token-2', username: 'token', value: new Redacted('value'), expiresAt: null };

const KEY = aKey(ISSUED.id);
const INTENT = anIntent();

const TRIAL = {
  account: 'v1',
  host: 'us.icr.io',
  stake: 'nothing',
  token: aKey(),
  startedAt: 0,
} as const;

describe('Memory', () => {
  it('knows what an intent gave, and its value', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED, PLACE);
    memory.rememberIntent(UID, INTENT, ISSUED.id);
    expect(memory.recall(UID, memory.intentResult(UID, INTENT))).to.equal(ISSUED);
    expect(memory.isOwn(UID, KEY)).to.equal(true);
  });

  it('does not keep in mind whose a token is that is never to be revoked: they come without end', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED, PLACE, false);
    expect(memory.recall(UID, KEY)).to.equal(ISSUED);
    expect(memory.isOwn(UID, KEY)).to.equal(false);
  });

  it('takes a token that was gone for alive once the registry gives it again', () => {
    const memory = new Memory();
    memory.markGone(UID, KEY);
    memory.remember(UID, ISSUED, PLACE);
    expect(memory.isGone(UID, KEY)).to.equal(false);
  });

  it('gives nothing of a revoked token out, though its intent be still open', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED, PLACE);
    memory.rememberIntent(UID, INTENT, ISSUED.id);
    memory.noteDead(UID, aKey('another'));
    expect(memory.isSpent(UID, INTENT)).to.equal(false);
    memory.noteDead(UID, KEY);
    expect([memory.isSpent(UID, INTENT), memory.isSpent(UID, anIntent({ revision: 3 }))]).to.deep.equal([
      true,
      false,
    ]);
    expect(memory.intentResult(UID, INTENT)).to.equal(undefined);
    expect(memory.recall(UID, KEY)).to.equal(undefined);
    expect(memory.isOwn(UID, KEY)).to.equal(false);
  });

  it('keeps the token in force when another is revoked', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED, PLACE);
    memory.rememberIntent(UID, INTENT, ISSUED.id);
    memory.noteDead(UID, aKey('token-1'));
    expect(memory.recall(UID, memory.intentResult(UID, INTENT))).to.equal(ISSUED);
  });

  it('keeps when a deletion was begun, and counts the tries that failed', () => {
    const memory = new Memory();
    expect(memory.beginDeletion(UID, 1_000)).to.deep.equal({ begunAt: 1_000, failedTries: 0 });
    memory.countDeletionTry(UID);
    expect(memory.beginDeletion(UID, 5_000)).to.deep.equal({ begunAt: 1_000, failedTries: 1 });
  });

  it('counts each try of a deletion that failed', () => {
    const memory = new Memory();
    expect([memory.countDeletionTry(UID), memory.countDeletionTry(UID)]).to.deep.equal([1, 2]);
  });

  it('forgets what an intent gave that is of no use, and what was decided about it, but not the token', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED, PLACE);
    memory.rememberIntent(UID, INTENT, ISSUED.id);
    memory.noteRuling(UID, 2, { action: 'use', doubt: undefined }, TRIAL);
    memory.forgetIntent(UID);
    expect([memory.intentResult(UID, INTENT), memory.ruling(UID, 2), memory.trial(UID)]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    expect(memory.isOwn(UID, KEY)).to.equal(true);
  });

  it('knows what was decided about the new token of one intent, and how that was tried', () => {
    const memory = new Memory();
    const ruling = { action: 'use', doubt: undefined } as const;
    memory.noteRuling(UID, 2, ruling, TRIAL);
    expect([memory.ruling(UID, 2), memory.ruling(UID, 3), memory.trial(UID)]).to.deep.equal([
      ruling,
      undefined,
      TRIAL,
    ]);
  });

  it('puts off tries of a host that are in vain, longer each time, and begins anew with another', () => {
    const memory = new Memory();
    const tries = [memory.noteHostTried(UID, 'a', 1_000), memory.noteHostTried(UID, 'a', 1_000)];
    expect(tries).to.deep.equal([3_000, 5_000]);
    expect([memory.hostTryAt(UID, 'a'), memory.hostTryAt(UID, 'b')]).to.deep.equal([5_000, undefined]);
    expect(memory.noteHostTried(UID, 'b', 1_000)).to.equal(3_000);
    expect(memory.hostTryAt(UID, 'a')).to.equal(undefined);
  });

  it('knows which tokens could not be revoked for want of a way to them, until there is one', () => {
    const memory = new Memory();
    expect(memory.wasElsewhere(UID, aKey('token-1'))).to.equal(false);
    memory.noteElsewhere(UID, aKey('token-1'), true);
    expect([
      memory.wasElsewhere(UID, aKey('token-1')),
      memory.wasElsewhere(UID, aKey('token-2')),
    ]).to.deep.equal([true, false]);
    memory.noteElsewhere(UID, aKey('token-1'), false);
    expect(memory.wasElsewhere(UID, aKey('token-1'))).to.equal(false);
  });

  it('holds repairs of a Secret back from the third on', () => {
    const memory = new Memory();
    const pauses = [1, 2, 3].map(() => {
      memory.countRepair(UID, 0);
      return memory.repairPause(UID, 0);
    });
    expect(pauses).to.deep.equal([0, 0, 30_000]);
    expect([memory.repairPause(UID, 10_000), memory.repairPause('another', 0)]).to.deep.equal([20_000, 0]);
  });

  it('knows which tokens are gone from the registry, and of which the status says that they are dead', () => {
    const memory = new Memory();
    memory.markGone(UID, aKey('token-1'));
    memory.noteToldDead(UID, aKey('token-1'));
    for (const knows of [memory.isGone.bind(memory), memory.isToldDead.bind(memory)])
      expect([
        knows(UID, aKey('token-1')),
        knows(UID, aKey('token-2')),
        knows('another', aKey('token-1')),
      ]).to.deep.equal([true, false, false]);
    expect(memory.isGone(UID, undefined)).to.equal(false);
  });

  it('knows that the value of a token was in no Secret, until that changes', () => {
    const memory = new Memory();
    const isLost = (uid: string, token: TokenKey | undefined, secretVersion?: string): boolean =>
      memory.isValueLost(uid, token, secretVersion);
    expect(isLost(UID, KEY)).to.equal(false);
    memory.markValueLost(UID, KEY, undefined);
    const others = [isLost(UID, aKey('another')), isLost('another', KEY), isLost(UID, undefined)];
    expect([isLost(UID, KEY), ...others, isLost(UID, KEY, '7')]).to.deep.equal([
      true,
      false,
      false,
      false,
      false,
    ]);
    memory.markValueLost(UID, KEY, '7');
    expect([isLost(UID, KEY), isLost(UID, KEY, '7')]).to.deep.equal([false, true]);
  });

  it('takes a token for the RegistryToken’s own that carries its tag', () => {
    const memory = new Memory();
    memory.noteOwn(UID, aKey('token-1'));
    expect([memory.isOwn(UID, aKey('token-1')), memory.isOwn(UID, aKey('token-2'))]).to.deep.equal([
      true,
      false,
    ]);
  });

  it('knows nothing of a RegistryToken that it was told to forget, and all of others', () => {
    const memory = new Memory();
    for (const uid of [UID, 'another']) memory.remember(uid, ISSUED, PLACE);
    memory.forget(UID);
    expect([memory.recall(UID, KEY), memory.recall('another', KEY)]).to.deep.equal([undefined, ISSUED]);
  });

  it('knows the latest tokens of a RegistryToken, and twice as many as its status can name', () => {
    const memory = new Memory();
    for (let n = 1; n <= 129; n++) memory.remember(UID, { ...ISSUED, id: `token-${n}` }, PLACE);
    const known = ['token-1', 'token-2', 'token-129'].map((id) => memory.isOwn(UID, aKey(id)));
    expect(known).to.deep.equal([false, true, true]);
  });

  describe('does not take a token for another to which another registry gave the same identifier:', () => {
    const TWIN = aKey(ISSUED.id, ANOTHER_PLACE);
    let memory: Memory;
    beforeEach(() => {
      memory = new Memory();
      memory.remember(UID, ISSUED, PLACE);
      memory.rememberIntent(UID, INTENT, ISSUED.id);
    });

    it('its value, and whose it is', () => {
      expect([memory.recall(UID, TWIN), memory.isOwn(UID, TWIN)]).to.deep.equal([undefined, false]);
      memory.noteOwn(UID, TWIN);
      memory.noteDead(UID, KEY);
      expect([memory.isOwn(UID, KEY), memory.isOwn(UID, TWIN)]).to.deep.equal([false, true]);
    });

    it('what an intent gave', () => {
      const intent = { ...INTENT, place: ANOTHER_PLACE };
      expect(memory.intentResult(UID, intent)).to.equal(undefined);
      memory.noteDead(UID, TWIN);
      expect([memory.isSpent(UID, INTENT), memory.recall(UID, KEY)]).to.deep.equal([false, ISSUED]);
      memory.noteDead(UID, KEY);
      expect([memory.isSpent(UID, INTENT), memory.isSpent(UID, intent)]).to.deep.equal([true, false]);
    });

    it('that it is gone, of which the status says so, and that it could not be revoked', () => {
      memory.markGone(UID, TWIN);
      memory.noteToldDead(UID, TWIN);
      memory.noteElsewhere(UID, TWIN, true);
      const knows = (key: TokenKey): boolean[] => [
        memory.isGone(UID, key),
        memory.isToldDead(UID, key),
        memory.wasElsewhere(UID, key),
      ];
      expect([knows(TWIN), knows(KEY)]).to.deep.equal([
        [true, true, true],
        [false, false, false],
      ]);
      memory.remember(UID, ISSUED, PLACE);
      memory.noteElsewhere(UID, KEY, false);
      expect(knows(TWIN)).to.deep.equal([true, true, true]);
    });
  });
});

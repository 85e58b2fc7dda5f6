import { expect } from 'chai';
import { Redacted } from '../../../src/common/redacted.ts';
import { Memory } from '../../../src/controller/token/memory.ts';

const UID = 'uid-of-app';
const ISSUED = { id: 'token-2', username: 'token', value: new Redacted('value'), expiresAt: null };

const TRIAL = {
  account: 'v1',
  host: 'us.icr.io',
  stake: 'nothing',
  tokenId: 'token-1',
  startedAt: 0,
} as const;

describe('Memory', () => {
  it('knows what an intent gave, and its value', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED);
    memory.rememberIntent(UID, 2, ISSUED.id);
    expect(memory.recall(UID, memory.intentResult(UID, 2))).to.equal(ISSUED);
    expect(memory.isOwn(UID, ISSUED.id)).to.equal(true);
  });

  it('takes a token that was gone for alive once the registry gives it again', () => {
    const memory = new Memory();
    memory.markGone(UID, ISSUED.id);
    memory.remember(UID, ISSUED);
    expect(memory.isGone(UID, ISSUED.id)).to.equal(false);
  });

  it('gives nothing of a revoked token out, though its intent be still open', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED);
    memory.rememberIntent(UID, 2, ISSUED.id);
    memory.noteRevoked(UID, 'another');
    expect(memory.isSpent(UID, 2)).to.equal(false);
    memory.noteRevoked(UID, ISSUED.id);
    expect([memory.isSpent(UID, 2), memory.isSpent(UID, 3)]).to.deep.equal([true, false]);
    expect(memory.intentResult(UID, 2)).to.equal(undefined);
    expect(memory.recall(UID, ISSUED.id)).to.equal(undefined);
    expect(memory.isOwn(UID, ISSUED.id)).to.equal(false);
  });

  it('keeps the token in force when another is revoked', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED);
    memory.rememberIntent(UID, 2, ISSUED.id);
    memory.noteRevoked(UID, 'token-1');
    expect(memory.recall(UID, memory.intentResult(UID, 2))).to.equal(ISSUED);
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
    memory.remember(UID, ISSUED);
    memory.rememberIntent(UID, 2, ISSUED.id);
    memory.noteRuling(UID, 2, { action: 'use', doubt: undefined }, TRIAL);
    memory.forgetIntent(UID);
    expect([memory.intentResult(UID, 2), memory.ruling(UID, 2), memory.trial(UID)]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    expect(memory.isOwn(UID, ISSUED.id)).to.equal(true);
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
    expect(memory.wasElsewhere(UID, 'token-1')).to.equal(false);
    memory.noteElsewhere(UID, 'token-1', true);
    expect([memory.wasElsewhere(UID, 'token-1'), memory.wasElsewhere(UID, 'token-2')]).to.deep.equal([
      true,
      false,
    ]);
    memory.noteElsewhere(UID, 'token-1', false);
    expect(memory.wasElsewhere(UID, 'token-1')).to.equal(false);
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
    memory.markGone(UID, 'token-1');
    memory.noteToldDead(UID, 'token-1');
    for (const knows of [memory.isGone.bind(memory), memory.isToldDead.bind(memory)])
      expect([knows(UID, 'token-1'), knows(UID, 'token-2'), knows('another', 'token-1')]).to.deep.equal([
        true,
        false,
        false,
      ]);
    expect(memory.isGone(UID, undefined)).to.equal(false);
  });

  it('takes a token for the RegistryToken’s own that carries its tag', () => {
    const memory = new Memory();
    memory.noteOwn(UID, 'token-1');
    expect([memory.isOwn(UID, 'token-1'), memory.isOwn(UID, 'token-2')]).to.deep.equal([true, false]);
  });

  it('knows nothing of a RegistryToken that it was told to forget, and all of others', () => {
    const memory = new Memory();
    for (const uid of [UID, 'another']) memory.remember(uid, ISSUED);
    memory.forget(UID);
    expect([memory.recall(UID, ISSUED.id), memory.recall('another', ISSUED.id)]).to.deep.equal([
      undefined,
      ISSUED,
    ]);
  });
});

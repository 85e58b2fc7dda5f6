import { expect } from 'chai';
import { Redacted } from '../../../src/common/redacted.ts';
import { Memory } from '../../../src/controller/token/memory.ts';

const UID = 'uid-of-app';
const ISSUED = { id: 'token-2', username: 'token', value: new Redacted('value'), expiresAt: null };

describe('Memory', () => {
  it('knows what an intent gave, and its value', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED);
    memory.rememberIntent(UID, 2, ISSUED.id);
    expect(memory.recall(UID, memory.intentResult(UID, 2))).to.equal(ISSUED);
    expect(memory.isOwn(UID, ISSUED.id)).to.equal(true);
  });

  it('gives nothing of a revoked token out, though its intent be still open', () => {
    const memory = new Memory();
    memory.remember(UID, ISSUED);
    memory.rememberIntent(UID, 2, ISSUED.id);
    memory.noteRevoked(UID, ISSUED.id);
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
});

import { expect } from 'chai';
import { findCondition, updateConditions, type ConditionUpdate } from '../../../src/api/conditions.ts';

const EARLIER = '2026-01-01T00:00:00Z';
const NOW = '2026-01-01T01:00:00Z';

const update = (part: Partial<ConditionUpdate> = {}): ConditionUpdate => ({
  type: 'Ready',
  status: 'True',
  reason: 'Issued',
  message: 'all is well',
  ...part,
});

describe('an update of conditions', () => {
  const before = updateConditions(undefined, [update(), update({ type: 'Stalled' })], 1, EARLIER);
  const ready = (part: Partial<ConditionUpdate>) =>
    findCondition(updateConditions(before, [update(part)], 2, NOW), 'Ready');

  it('starts with the time at which it is made', () => {
    expect(before[0]).to.deep.equal({
      type: 'Ready',
      status: 'True',
      observedGeneration: 1,
      lastTransitionTime: EARLIER,
      reason: 'Issued',
      message: 'all is well',
    });
  });
  it('keeps the transition time while the status stays, whatever the reason', () => {
    expect(ready({ reason: 'Suspended', message: 'asleep' })).to.deep.equal({
      type: 'Ready',
      status: 'True',
      observedGeneration: 2,
      lastTransitionTime: EARLIER,
      reason: 'Suspended',
      message: 'asleep',
    });
  });
  it('moves the transition time when the status turns', () => {
    expect(ready({ status: 'False' })).to.include({ status: 'False', lastTransitionTime: NOW });
  });
  it('drops conditions that are no longer true, and starts their time anew when they come back', () => {
    const without = updateConditions(before, [update()], 2, NOW);
    expect(findCondition(without, 'Stalled')).to.be.undefined;
    const again = updateConditions(without, [update({ type: 'Stalled' })], 2, NOW);
    expect(findCondition(again, 'Stalled')?.lastTransitionTime).to.equal(NOW);
  });
  it('is the same, deeply, when nothing changes', () => {
    expect(updateConditions(before, [update(), update({ type: 'Stalled' })], 1, NOW)).to.deep.equal(before);
  });
  it('cuts a long message, never within a character', () => {
    const message = ready({ message: `x${'😀'.repeat(1000)}` })?.message ?? '';
    expect(message)
      .to.have.lengthOf.at.most(1024)
      .and.satisfy((text: string) => text.endsWith('😀…'));
    expect(message.isWellFormed()).to.be.true;
  });
});

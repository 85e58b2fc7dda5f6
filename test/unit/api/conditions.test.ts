import { expect } from 'chai';
import {
  findCondition,
  mergeConditions,
  withConditions,
  type Condition,
  type ConditionUpdate,
} from '../../../src/api/conditions.ts';

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
  const before = mergeConditions(undefined, [update(), update({ type: 'Stalled' })], 1, EARLIER);
  const ready = (part: Partial<ConditionUpdate>) =>
    findCondition(mergeConditions(before, [update(part)], 2, NOW), 'Ready');

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
    const without = mergeConditions(before, [update()], 2, NOW);
    expect(findCondition(without, 'Stalled')).to.be.undefined;
    const again = mergeConditions(without, [update({ type: 'Stalled' })], 2, NOW);
    expect(findCondition(again, 'Stalled')?.lastTransitionTime).to.equal(NOW);
  });
  it('is the same, deeply, when nothing changes', () => {
    expect(mergeConditions(before, [update(), update({ type: 'Stalled' })], 1, NOW)).to.deep.equal(before);
  });
  it('cuts a long message, never within a character', () => {
    const message = ready({ message: `x${'😀'.repeat(1000)}` })?.message ?? '';
    expect(message)
      .to.have.lengthOf.at.most(1024)
      .and.satisfy((text: string) => text.endsWith('😀…'));
    expect(message.isWellFormed()).to.be.true;
  });

  describe('beside conditions of others', () => {
    const theirs: Condition = { ...before[0]!, type: 'example.com/Audited', reason: 'Passed' };
    it('leaves those as they are, and drops its own that no longer hold', () => {
      expect(mergeConditions([theirs, ...before], [update()], 2, NOW)).to.deep.equal([
        { ...before[0], observedGeneration: 2 },
        theirs,
      ]);
    });
    it('changes nothing when nothing has changed', () => {
      const stored = [...before, theirs];
      expect(mergeConditions(stored, [update(), update({ type: 'Stalled' })], 1, NOW)).to.deep.equal(stored);
    });
    it('keeps no more of them than the schema takes', () => {
      const many = Array.from({ length: 40 }, (_, index) => ({ ...theirs, type: `example.com/C${index}` }));
      const merged = mergeConditions(many, [update()], 2, NOW);
      expect(merged).to.have.length(32);
      expect(merged[0]).to.include({ type: 'Ready' });
    });
  });
});

describe('the reason of a status', () => {
  const reasonOf = (...updates: Partial<ConditionUpdate>[]): string | undefined =>
    withConditions<{ reason?: string }>({ metadata: {} }, {}, updates.map(update), NOW).reason;
  const pending = { type: 'RevocationPending' } as const;
  const rows: [string, Partial<ConditionUpdate>[], string][] = [
    ['is that of Ready while all is well', [{}], 'Issued'],
    [
      'is what stands in the way, though Ready',
      [{}, { type: 'Stalled', reason: 'SecretConflict' }],
      'SecretConflict',
    ],
    ['is what is under way, though Ready', [{}, { type: 'Reconciling', reason: 'Rotating' }], 'Rotating'],
    ['is that the object is suspended', [{ reason: 'Suspended' }], 'Suspended'],
    ['is no grace period', [{}, { ...pending, reason: 'GracePeriod' }], 'Issued'],
    [
      'is a revocation that fails, if nothing else',
      [{}, { ...pending, reason: 'RevocationFailed' }],
      'RevocationFailed',
    ],
    [
      'is what stands in the way rather than a revocation that fails',
      [
        {},
        { type: 'Reconciling', reason: 'RegistryUnavailable' },
        { ...pending, reason: 'RevocationFailed' },
      ],
      'RegistryUnavailable',
    ],
    ["is an account's, too", [{ reason: 'CredentialsAccepted' }], 'CredentialsAccepted'],
  ];
  for (const [name, updates, reason] of rows) it(name, () => expect(reasonOf(...updates)).to.equal(reason));
});

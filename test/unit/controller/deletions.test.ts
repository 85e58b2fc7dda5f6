import { expect } from 'chai';
import { Deletions } from '../../../src/controller/token/deletions.ts';
import { aToken, at } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

describe('deletions', () => {
  const clock = new VirtualClock();
  const alive = aToken();
  const going = aToken({ metadata: { deletionTimestamp: at(0) } });
  const { uid } = alive.metadata;
  const change = (type: 'added' | 'updated' | 'deleted', object: typeof alive, initial = false) => ({
    type,
    object,
    initial,
  });

  it('are noticed once, and forgotten when it is done', async () => {
    const deletions = new Deletions(clock);
    deletions.onChange(change('added', alive));
    expect(deletions.noticedAt(uid)).to.equal(undefined);
    const noticed = clock.monotonic();
    deletions.onChange(change('updated', going));
    await clock.advance(1_000);
    deletions.onChange(change('updated', going));
    expect(deletions.noticedAt(uid)).to.equal(noticed);
    expect([...deletions.gone()]).to.deep.equal([]);
    deletions.onChange(change('deleted', going));
    expect(deletions.noticedAt(uid)).to.equal(undefined);
    expect([...deletions.gone()]).to.deep.equal([uid]);
  });

  it('are noticed by a process that finds them under way', () => {
    const deletions = new Deletions(clock);
    deletions.onChange(change('added', going, true));
    expect(deletions.noticedAt(uid)).to.equal(clock.monotonic());
  });

  it('are remembered ten thousand at a time', () => {
    const deletions = new Deletions(clock);
    for (let number = 0; number <= 10_000; number++)
      deletions.onChange(change('deleted', aToken({ metadata: { uid: `uid-${number}` } })));
    const gone = [...deletions.gone()];
    expect(gone).to.have.length(10_000);
    expect([gone[0], gone.at(-1)]).to.deep.equal(['uid-1', 'uid-10000']);
  });
});

import { expect } from 'chai';
import type { KubeObject } from '../../../src/common/objects.ts';
import { Replica, type Change } from '../../../src/kube/cache/replica.ts';

const thing = (resourceVersion: string, colour: string): KubeObject & { colour: string } => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', uid: 'uid', resourceVersion, creationTimestamp: '2026-01-01T00:00:00Z' },
  colour,
});

describe('Replica', () => {
  it('takes an object that could not be indexed at the next try, and tells of it then', () => {
    let broken = false;
    const told: Change<KubeObject>[] = [];
    const replica = new Replica<KubeObject & { colour: string }>(
      {
        colour(object) {
          if (broken) throw new Error('no colour today');
          return [object.colour];
        },
      },
      () => expect.fail('no handler throws'),
    );
    replica.onChange((change) => told.push(change));
    const before = thing('1', 'red');
    const after = thing('2', 'blue');
    replica.set(before);
    broken = true;
    expect(() => replica.set(after)).to.throw('no colour today');
    expect(replica.store.list()).to.deep.equal([before]);
    expect(replica.store.byIndex('colour', 'red')).to.deep.equal([before]);
    broken = false;
    replica.set(after);
    expect(told.slice(1)).to.deep.equal([
      { type: 'updated', object: after, previous: before, initial: false },
    ]);
    expect(replica.store.byIndex('colour', 'red')).to.deep.equal([]);
    expect(replica.store.byIndex('colour', 'blue')).to.deep.equal([after]);
  });
});

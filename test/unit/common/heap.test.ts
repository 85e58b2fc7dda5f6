import { expect } from 'chai';
import * as fc from 'fast-check';
import { Heap } from '../../../src/common/heap.ts';

describe('a heap', () => {
  it('gives its items in order, whatever was pushed and popped before', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 50 }))), (steps) => {
        const heap = new Heap<number>((a, b) => a < b);
        let model: number[] = [];
        for (const step of steps) {
          if (step === null) {
            heap.pop();
            model = model.slice(1);
          } else {
            heap.push(step);
            model = [...model, step].sort((a, b) => a - b);
          }
          expect(heap.first).to.equal(model[0]);
        }
      }),
    );
  });

  it('is empty once it was cleared', () => {
    const heap = new Heap<number>((a, b) => a < b);
    heap.push(1);
    heap.clear();
    expect(heap.first).to.equal(undefined);
  });
});

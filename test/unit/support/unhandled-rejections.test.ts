import { expect } from 'chai';

describe('a promise that is rejected and that nobody handles', () => {
  it('fails the test that runs, as it would end the operator', () => {
    const reject = (): boolean => process.emit('unhandledRejection', new Error('lost'), Promise.resolve());
    expect(reject).to.throw('lost');
  });
});

import { expect } from 'chai';
import nock from 'nock';

// Importing nock puts it to work; other suites of the same process have real sockets. That is why it is imported here only.
nock.restore();
export { nock };

/** Lets nock answer all requests of a suite, and none go out. Every answer prepared has to be used. */
export function useNock(): void {
  before(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
  });
  afterEach(function () {
    const unused = nock.pendingMocks();
    nock.cleanAll();
    if (this.currentTest?.state === 'passed') expect(unused).to.deep.equal([]);
  });
  after(() => {
    nock.enableNetConnect();
    nock.restore();
  });
}

import { expect } from 'chai';
import {
  hostPause,
  pendingRemarks,
  withoutPendingHost,
  withPendingHost,
  type PendingHost,
} from '../../../src/token/lifecycle/pending-host.ts';
import { at, ISSUED, MINUTE, SECOND } from '../../support/builders.ts';

const host = 'moved.example';
const unasked = { host, refused: false, message: 'ENOTFOUND' };

describe('a host that waits to get into the Secret', () => {
  const status = withPendingHost({}, unasked, ISSUED);

  it('is recorded with the time since when', () => {
    expect(status).to.deep.equal({ pendingHost: { ...unasked, since: at(0) } });
    expect(withoutPendingHost(status)).to.deep.equal({});
  });
  it('is told of in the same words while the same is the matter', () => {
    const again = { ...unasked, message: 'is left alone' };
    expect(withPendingHost(status, again, ISSUED + MINUTE)).to.deep.equal(status);
  });
  it('is told of anew when something else is the matter, or it is another', () => {
    const refused = { host, refused: true, message: '401' };
    expect(withPendingHost(status, refused, ISSUED + MINUTE)).to.deep.equal({
      pendingHost: { ...refused, since: at(0) },
    });
    const other = { ...unasked, host: 'other.example' };
    expect(withPendingHost(status, other, ISSUED + MINUTE)).to.deep.equal({
      pendingHost: { ...other, since: at(MINUTE) },
    });
  });
  it('is tried again at growing intervals', () => {
    expect([1, 2, 3, 8, 9, 1000].map(hostPause)).to.deep.equal(
      [2, 4, 8, 256, 300, 300].map((seconds) => seconds * SECOND),
    );
  });
});

describe('what an account says of hosts that wait', () => {
  const waiting = (part: Partial<PendingHost>) => ({ pendingHost: { ...unasked, since: at(0), ...part } });

  it('is nothing where none does', () => expect(pendingRemarks([undefined, {}])).to.deep.equal([]));
  it('is one sentence for each host, with what the first RegistryToken found', () => {
    const statuses = [
      waiting({ since: at(MINUTE), message: 'later' }),
      {},
      waiting({}),
      waiting({ host: 'another.example', refused: true, message: '401' }),
    ];
    expect(pendingRemarks(statuses)).to.deep.equal([
      '1 RegistryToken keeps the host in the Secret, since another.example is not known to accept the token: 401',
      '2 RegistryTokens keep the host in the Secret, since moved.example is not known to accept the token: ENOTFOUND',
    ]);
  });
});

import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { ConnectionLimit } from '../../../src/ops/connection-limit.ts';

class FakeConnection extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): this {
    this.destroyed = true;
    this.emit('close');
    return this;
  }
}

describe('the limit of open connections', () => {
  let limit: ConnectionLimit;
  const connect = (address: string): FakeConnection => {
    const connection = new FakeConnection(address);
    limit.add(connection as never);
    return connection;
  };

  beforeEach(() => {
    limit = new ConnectionLimit(4);
  });

  it('closes the oldest connection of the address that has most, never the one of an address that has few', () => {
    const probe = connect('10.0.0.1');
    const pod = Array.from({ length: 6 }, () => connect('10.0.0.2'));
    expect(probe.destroyed).to.equal(false);
    expect(pod.map(({ destroyed }) => destroyed)).to.deep.equal([true, true, true, false, false, false]);
  });

  it('closes the oldest where all come from one address, so that the newest is answered', () => {
    const all = Array.from({ length: 5 }, () => connect('127.0.0.6'));
    expect(all.map(({ destroyed }) => destroyed)).to.deep.equal([true, false, false, false, false]);
  });

  it('does not count connections that have ended', () => {
    for (let n = 0; n < 20; n++) connect('10.0.0.2').destroy();
    const all = Array.from({ length: 4 }, () => connect('10.0.0.2'));
    expect(all.some(({ destroyed }) => destroyed)).to.equal(false);
  });
});

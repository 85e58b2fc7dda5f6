import { expect } from 'chai';
import { fenced } from '../../../src/kube/election/fence.ts';
import { LeadershipLost } from '../../../src/kube/election/leadership-lost.ts';
import type { Call, Transport } from '../../../src/kube/transport/transport.ts';

describe('a fenced transport', () => {
  let leads: boolean;
  let sent: string[];
  let transport: Transport;
  beforeEach(() => {
    leads = true;
    sent = [];
    const open: Transport = {
      async request({ method, guard }: Call) {
        await Promise.resolve();
        guard?.();
        sent.push(method);
      },
      async *stream({ method }) {
        yield method;
      },
      close: () => Promise.resolve(),
    };
    transport = fenced(open, () => {
      if (!leads) throw new LeadershipLost('frozen');
    });
  });
  const request = (method: string): Promise<unknown> =>
    transport.request({ method, path: '/' }).catch((error: unknown) => error);

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    it(`lets ${method} through while this process leads, and no longer, judged when it is sent`, async () => {
      await request(method);
      const late = request(method);
      leads = false;
      expect(await late).to.be.instanceOf(LeadershipLost);
      expect(sent).to.deep.equal([method]);
    });

  it('reads and watches for those who do not lead as well', async () => {
    leads = false;
    await request('GET');
    expect(sent).to.deep.equal(['GET']);
    const lines: string[] = [];
    for await (const line of transport.stream({ method: 'GET', path: '/', stallLimit: 1 })) lines.push(line);
    expect(lines).to.deep.equal(['GET']);
  });
});

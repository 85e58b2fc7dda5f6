import { expect } from 'chai';
import { SharedCall } from '../../../src/registry/http/shared-call.ts';
import { settle } from '../../support/virtual-clock.ts';

const NEVER = new AbortController().signal;

function pending(): { call: SharedCall<string>; signal: () => AbortSignal; end: (result: string) => void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  let given = NEVER;
  const call = new SharedCall((signal) => {
    given = signal;
    return promise;
  });
  return { call, signal: () => given, end: resolve };
}

describe('SharedCall', () => {
  it('gives everybody the same result', async () => {
    const { call, end } = pending();
    const both = Promise.all([call.join(NEVER), call.join(NEVER)]);
    end('done');
    expect(await both).to.deep.equal(['done', 'done']);
    expect(await call.join(NEVER), 'and late comers').to.equal('done');
  });

  it('gives everybody the same failure, and crashes nothing when nobody waits', async () => {
    const error = new Error('no');
    const call = new SharedCall(() => Promise.reject(error));
    await settle();
    expect(await call.join(NEVER).catch((reason: unknown) => reason)).to.equal(error);
  });

  it('lets those who abort go at once, and goes on for the others', async () => {
    const { call, signal, end } = pending();
    const controller = new AbortController();
    const leaving = call.join(controller.signal);
    const staying = call.join(NEVER);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await leaving.catch((error: unknown) => error)).to.equal(reason);
    expect(signal().aborted).to.equal(false);
    end('done');
    expect(await staying).to.equal('done');
  });

  it('is broken off when the last one aborts', async () => {
    const { call, signal } = pending();
    const controllers = [new AbortController(), new AbortController()];
    const waiting = controllers.map((controller) => call.join(controller.signal).catch(() => 'left'));
    controllers[0]?.abort();
    await settle();
    expect(call.abandoned).to.equal(false);
    controllers[1]?.abort();
    await Promise.all(waiting);
    expect(call.abandoned).to.equal(true);
    expect(signal().aborted).to.equal(true);
  });

  it('that has ended is not broken off, and not joined either', async () => {
    const { call, signal, end } = pending();
    const waiting = call.join(NEVER);
    end('done');
    await waiting;
    expect(call.abandoned).to.equal(true);
    expect(signal().aborted).to.equal(false);
  });

  it('goes on without anybody when it is kept', async () => {
    const { call } = pending();
    call.keep();
    const controller = new AbortController();
    const waiting = call.join(controller.signal).catch(() => 'left');
    controller.abort();
    expect(await waiting).to.equal('left');
    expect(call.abandoned).to.equal(false);
  });

  it('is not joined by who has aborted already', async () => {
    const { call } = pending();
    const reason = new Error('before');
    const failed = await call.join(AbortSignal.abort(reason)).catch((error: unknown) => error);
    expect(failed).to.equal(reason);
    expect(call.abandoned).to.equal(false);
  });
});

import { expect } from 'chai';
import { decodeJwt } from 'jose';
import type { Answer } from '../../../../sandbox/registries/shared/message.ts';
import { basic, bodyOf, call, fixture, HOST, mint, signIn } from './fixture.ts';

describe('the door of the registry, /v2/', () => {
  const { service, clock } = fixture();
  const enter = (headers: Record<string, string> = {}, at = service): Promise<Answer> =>
    call(at, 'GET', '/v2/', { headers });
  const bearerFor = async (value: string, at = service): Promise<string> => {
    const answer = await call(at, 'GET', '/oauth/token?service=registry', { headers: basic(value) });
    return String(bodyOf(answer).token);
  };

  it('asks for a bearer token in the words of IBM, and names the token endpoint as the client reached it', async () => {
    for (const [headers, host] of [
      [{}, HOST],
      [{ host: '127.0.0.1:5000' }, '127.0.0.1:5000'],
    ] as const) {
      const answer = await enter(headers);
      expect([answer.status, answer.headers['www-authenticate']]).to.deep.equal([
        401,
        `Bearer realm=http://${host}/oauth/token, service=registry`,
      ]);
    }
  });

  it('opens to a bearer token of its own, while that lives', async () => {
    const bearer = await bearerFor(await mint(service, await signIn(service)));
    const headers = { authorization: `Bearer ${bearer}` };
    expect((await enter(headers)).status).to.equal(200);
    await clock.advance(59_999);
    expect((await enter(headers)).status).to.equal(200);
    await clock.advance(1);
    expect((await enter(headers)).status).to.equal(401);
  });

  it('takes a bearer token a minute before and after the time it tells, as registries do', async () => {
    const { service: other, clock: itsClock } = fixture();
    const bearer = await bearerFor(await mint(other, await signIn(other)), other);
    const { nbf, exp } = decodeJwt(bearer);
    const statusAt = async (time: number): Promise<number> => {
      itsClock.jump(time - itsClock.now());
      return (await enter({ authorization: `Bearer ${bearer}` }, other)).status;
    };
    const [begin, end] = [(Number(nbf) - 60) * 1000, (Number(exp) + 60) * 1000];
    expect([await statusAt(begin - 1), await statusAt(begin)]).to.deep.equal([401, 200]);
    expect([await statusAt(end - 1), await statusAt(end)]).to.deep.equal([200, 401]);
  });

  it('stays shut to anything else', async () => {
    const value = await mint(service, await signIn(service));
    const bearer = await bearerFor(value);
    const stranger = fixture().service;
    const foreign = await call(stranger, 'GET', '/oauth/token?service=registry', {
      headers: basic(await mint(stranger, await signIn(stranger))),
    });
    for (const authorization of [
      basic(value).authorization ?? '',
      `Bearer ${value}`,
      `Bearer ${bearer}x`,
      `Bearer ${String(bodyOf(foreign).token)}`,
      'Bearer nonsense',
    ]) {
      expect((await enter({ authorization })).status).to.equal(401);
    }
  });
});

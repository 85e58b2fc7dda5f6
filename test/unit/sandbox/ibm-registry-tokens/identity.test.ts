import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import {
  ACCOUNT,
  bodyOf,
  call,
  EXCHANGE_FORM,
  fixture,
  HOUR,
  OTHER_ACCOUNT,
  OTHER_KEY,
  postForm,
  signIn,
  START,
} from './fixture.ts';

const EXCHANGE = '/identity/token';

describe("token service: IAM's API key exchange", () => {
  it('answers with the documented fields and an hour of lifetime', async () => {
    const { service } = fixture();
    const answer = await postForm(service, EXCHANGE, EXCHANGE_FORM);
    expect(answer.status).to.equal(200);
    expect(answer.headers['transaction-id']).to.match(/^\S+-[0-9a-f]{32}$/);
    const { access_token: accessToken, ...rest } = bodyOf(answer);
    expect(rest).to.deep.equal({
      refresh_token: 'not_supported',
      ims_user_id: 118,
      token_type: 'Bearer',
      expires_in: 3600,
      expiration: START / 1000 + 3600,
      scope: 'ibm openid',
    });
    expect(decodeJwt(String(accessToken))).to.deep.include({
      account: { valid: true, bss: ACCOUNT },
      iat: START / 1000,
      exp: START / 1000 + 3600,
    });
    expect(decodeProtectedHeader(String(accessToken)).alg).to.equal('HS256');
  });

  it('names the account of each API key', async () => {
    const { service } = fixture();
    const answer = await postForm(service, EXCHANGE, { ...EXCHANGE_FORM, apikey: OTHER_KEY });
    const claims = decodeJwt(String(bodyOf(answer).access_token));
    expect(claims.account).to.deep.equal({ valid: true, bss: OTHER_ACCOUNT });
  });

  it('gives a new access token each time', async () => {
    const { service } = fixture();
    expect(await signIn(service)).to.not.deep.equal(await signIn(service));
  });

  const refusals: [string, Record<string, string>, Record<string, string>][] = [
    [
      'an unknown API key',
      { ...EXCHANGE_FORM, apikey: 'wrong' },
      {
        errorCode: 'BXNIM0415E',
        errorMessage: 'Provided API key could not be found.',
        errorDetails: 'Provided API key could not be found.',
      },
    ],
    [
      'no grant type',
      { apikey: 'x' },
      {
        errorCode: 'BXNIM0109E',
        errorMessage: 'Property missing or empty.',
        errorDetails: "Property 'grant_type' either missing or empty.",
      },
    ],
    [
      'no API key',
      { grant_type: EXCHANGE_FORM.grant_type },
      {
        errorCode: 'BXNIM0109E',
        errorMessage: 'Property missing or empty.',
        errorDetails: "Property 'apikey' either missing or empty.",
      },
    ],
    [
      'another response type',
      { ...EXCHANGE_FORM, response_type: 'uaa, cloud_iam' },
      {
        errorCode: 'BXNIM0106E',
        errorMessage:
          "Validation of property 'response_type' with value '[uaa, cloud_iam]' failed. Valid values: 'cloud_iam'",
      },
    ],
    ['another grant type', { ...EXCHANGE_FORM, grant_type: 'password' }, { errorCode: 'BXNIM0106E' }],
  ];
  for (const [what, form, expected] of refusals) {
    it(`refuses ${what} with 400 ${expected.errorCode}`, async () => {
      const { service } = fixture();
      const answer = await postForm(service, EXCHANGE, form);
      expect(answer.status).to.equal(400);
      const { context, ...problem } = bodyOf(answer);
      expect(problem).to.include(expected);
      expect(context).to.include({
        requestId: answer.headers['transaction-id'],
        requestType: 'incoming.Identity_Token',
        startTime: '01.01.2026 00:00:00:000 UTC',
        locale: 'en_US',
      });
    });
  }

  it('never says an unknown API key back', async () => {
    const { service } = fixture();
    const answer = await postForm(service, EXCHANGE, { ...EXCHANGE_FORM, apikey: 'mistyped-key' });
    expect(JSON.stringify(answer)).to.not.include('mistyped-key');
  });

  it('reads no form out of a body that says it is JSON', async () => {
    const { service } = fixture();
    const body = new URLSearchParams(EXCHANGE_FORM).toString();
    const answer = await call(service, 'POST', EXCHANGE, {
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(bodyOf(answer).errorCode).to.equal('BXNIM0109E');
  });

  it('accepts a form with a character set and optional fields', async () => {
    const { service } = fixture();
    const body = new URLSearchParams({ ...EXCHANGE_FORM, response_type: 'cloud_iam', scope: 'x' }).toString();
    const headers = { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=utf-8' };
    expect((await call(service, 'POST', EXCHANGE, { headers, body })).status).to.equal(200);
  });

  it('answers other methods with 405 BXNIM0060E', async () => {
    const { service } = fixture();
    const answer = await call(service, 'GET', EXCHANGE);
    expect(answer.status).to.equal(405);
    expect(answer.headers.allow).to.equal('POST');
    expect(bodyOf(answer).errorCode).to.equal('BXNIM0060E');
  });

  it('stops honouring an access token once it has expired', async () => {
    const { service, clock } = fixture();
    const headers = await signIn(service);
    await clock.advance(HOUR - 1);
    expect((await call(service, 'GET', '/api/v1/tokens', { headers })).status).to.equal(200);
    await clock.advance(1);
    expect((await call(service, 'GET', '/api/v1/tokens', { headers })).status).to.equal(401);
  });

  it('honours access tokens of another region, for IAM is one for all', async () => {
    const headers = await signIn(fixture().service);
    const { service: elsewhere } = fixture({ host: 'de.icr.io' });
    expect((await call(elsewhere, 'GET', '/api/v1/tokens', { headers })).status).to.equal(200);
  });

  it('honours no access token made from an API key that it does not have', async () => {
    const { service: stranger } = fixture({ apiKeys: [{ key: 'other', accountId: ACCOUNT }] });
    const headers = await signIn(stranger, 'other');
    const { service } = fixture();
    expect((await call(service, 'GET', '/api/v1/tokens', { headers })).status).to.equal(401);
  });
});

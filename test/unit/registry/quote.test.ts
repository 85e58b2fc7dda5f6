import { expect } from 'chai';
import * as fc from 'fast-check';
import { Redacted } from '../../../src/common/redacted.ts';
import { quote } from '../../../src/registry/http/quote.ts';
import { aJwt } from './support/jwt.ts';

describe('quote', () => {
  // Five question marks are a slash in base64, and none in base64url, wherever they stand.
  const key = 'an+API/key "that"=is ünsafe?????';

  it('leaves harmless text as it is', () => {
    expect(quote('You are not authorized to access the specified account.', [])).to.equal(
      'You are not authorized to access the specified account.',
    );
  });

  it('puts everything on one line, without control and formatting characters', () => {
    expect(quote('\u001b[31mone\r\n\ttwo\u0000\u202ethree\u2028four ', [])).to.equal('[31mone twothree four');
  });

  it('cuts what is long', () => {
    expect(quote('x'.repeat(300), [])).to.equal('x'.repeat(300));
    expect(quote('x'.repeat(301), [])).to.equal(`${'x'.repeat(299)}…`);
    expect(quote('abcdef', [], 3)).to.equal('ab…');
  });

  const forms: [string, string][] = [
    ['as it is', key],
    ['in JSON', JSON.stringify(key).slice(1, -1)],
    ['in a URL', encodeURIComponent(key)],
    ['in a form', new URLSearchParams({ a: key }).toString().slice(2)],
    ['in base64', Buffer.from(key).toString('base64')],
    ['in base64url', Buffer.from(key).toString('base64url')],
  ];
  for (const [name, form] of forms) {
    it(`takes out a secret ${name}`, () => {
      const quoted = quote(`key <${form}> was refused`, [new Redacted('other'), new Redacted(key)]);
      expect(quoted).to.match(/^key <\[redacted\]={0,2}> was refused$/);
    });
  }

  it('takes out the whole of a secret that begins with another, and of one that grows when it is escaped', () => {
    const [user, password] = ['robot', 'robot-5ecr3t'].map((value) => new Redacted(value));
    expect(quote('robot-5ecr3t of robot', [user!, password!])).to.equal('[redacted] of [redacted]');
    expect(quote('?key=50%25', [new Redacted('50%')])).to.equal('?key=[redacted]');
  });

  it('takes out what looks like a JWT, whole or in part', () => {
    const token = aJwt({ jti: 'a-token' });
    const [header, payload] = token.split('.');
    for (const part of [token, `${header}.${payload}`, `${header}.`, header, payload]) {
      expect(quote(`token ${part} is bad`, [])).to.equal('token [redacted] is bad');
    }
  });

  for (const before of ['', 't', 'to', 'token:']) {
    it(`takes out a JWT in base64 after ${JSON.stringify(before)}`, () => {
      const token = aJwt({ jti: 'a-token' });
      const encoded = Buffer.from(before + token).toString('base64');
      const quoted = quote(`Basic ${encoded}.`, []);
      expect(quoted).to.match(/^Basic .{0,8}\[redacted\]$/);
    });
  }

  it('takes secrets out before it cuts, so that no beginning of one stays', () => {
    expect(quote(`${'x'.repeat(290)}${key}`, [new Redacted(key)])).to.equal(`${'x'.repeat(290)}[redacted]`);
  });

  it('never lets a secret through, wherever it stands', () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 60, unit: 'grapheme-ascii' })
      .filter((s) => !/\s{2}|^\s|\s$/.test(s));
    fc.assert(
      fc.property(fc.string(), secret, fc.string(), (before, value, after) => {
        fc.pre(!'[redacted]'.includes(value));
        expect(quote(`${before}${value}${after}`, [new Redacted(value)], 1000)).not.to.include(value);
      }),
    );
  });

  it('copes with an empty secret', () => {
    expect(quote('text', [new Redacted('')])).to.equal('text');
  });
});

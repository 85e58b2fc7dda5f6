import { expect } from 'chai';
import * as fc from 'fast-check';
import { Redacted } from '../../../src/common/redacted.ts';
import { SecretScrubber } from '../../../src/ops/secret-scrubber.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJyZWdpc3RyeSIsImV4cCI6MTc5NTAwMDAwMH0.c2lnbmF0dXJl_-x';

function scrubber(...secrets: string[]): SecretScrubber {
  const made = new SecretScrubber();
  for (const secret of secrets) made.register(new Redacted(secret));
  return made;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('secret scrubber', () => {
  describe('without knowing a value', () => {
    const cases: [string, string, string][] = [
      ['a JWT', `got ${JWT} from it`, 'got [redacted] from it'],
      ['the beginning of a JWT', `got ${JWT.slice(0, 20)}… from it`, 'got [redacted]… from it'],
      ['a JWT glued to other text', `token=${JWT}&x=1`, 'token=[redacted]&x=1'],
      ['a docker configuration in a Secret', base64('{"auths":{"us.icr.io":{"auth":"x"}}}'), '[redacted]'],
    ];
    for (const [what, text, expected] of cases) {
      it(`takes out ${what}`, () => expect(scrubber().scrub(text)).to.equal(expected));
    }

    for (const user of ['token', 'iambearer', 'oauth2accesstoken', 'user', 'u2']) {
      it(`takes a JWT out of Basic authentication as ${user}`, () => {
        const scrubbed = scrubber().scrub(`Basic ${base64(`${user}:${JWT}`)}`);
        expect(scrubbed).to.match(/^Basic .{0,24}\[redacted\]$/);
      });
    }
  });

  it('leaves names, addresses, identifiers and checksums alone', () => {
    const text =
      'team-a/app-pull us.icr.io 6f1c9b1e-8a53-4c3e-9c5d-0f3a3b0f9a55 sha256:9f86d081884c7d659a2feaa0c55ad015';
    expect(scrubber('some-secret-value').scrub(text)).to.equal(text);
  });

  it('takes out a registered value however a line may write it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 60 }),
        fc.string({ maxLength: 20 }),
        (secret, user) => {
          fc.pre(!secret.startsWith('eyJ'));
          const scrub = (text: string) => scrubber(secret).scrub(text);
          expect(scrub(`<${secret}>`)).not.to.include(secret);
          expect(scrub(JSON.stringify({ a: secret }))).not.to.include(JSON.stringify(secret).slice(1, -1));
          expect(scrub(`?key=${encodeURIComponent(secret)}`)).not.to.include(encodeURIComponent(secret));
          expect(scrub(base64(`${user}:${secret}`))).to.include('[redacted]');
        },
      ),
    );
  });

  it('takes out all of a value that holds a JWT', () => {
    expect(scrubber(`key-${JWT}`).scrub(`<key-${JWT}>`)).to.equal('<[redacted]>');
  });

  it('tells values with the same beginning apart, and takes out the longest', () => {
    const both = scrubber('same-beginning', 'same-beginning-and-more');
    expect(both.scrub('same-beginning, same-beginning-and-more, same-begin')).to.equal(
      '[redacted], [redacted], same-begin',
    );
  });

  it('does not look for values too short to be told from text', () => {
    expect(scrubber('secret').scrub('a secret')).to.equal('a secret');
  });

  it('remembers the latest ten thousand', () => {
    const secrets = Array.from({ length: 10_001 }, (_, n) => `value-number-${n}.`);
    const full = scrubber(...secrets);
    expect(full.scrub('value-number-10000.')).to.equal('[redacted]');
    expect(full.scrub('value-number-1.')).to.equal('[redacted]');
    expect(full.scrub('value-number-0.')).to.equal('value-number-0.');
  });
});

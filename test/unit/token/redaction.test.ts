import { expect } from 'chai';
import * as fc from 'fast-check';
import { Redacted } from '../../../src/common/redacted.ts';
import { redactValues } from '../../../src/token/secret/redaction.ts';
import { dockerConfig } from '../../../src/token/secret/secret.ts';
import { aCredential, HOST } from '../../support/builders.ts';

const VALUE = 'eyJ-a-very-secret-value.of-a-token';
const payload = (value: string, username = 'token'): Redacted =>
  new Redacted(dockerConfig([HOST], aCredential({ username, value: new Redacted(value) })));
const redacted = (text: string): string => redactValues(text, [payload(VALUE)]);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('words of a third party that saw a Secret', () => {
  it('stay as they are where they quote nothing of it', () => {
    const text = `registry ${HOST} is not on the list, user name token neither; see https://wiki.example.com/pull-secrets`;
    expect(redacted(text)).to.equal(text);
  });

  const quotes: [what: string, text: string][] = [
    ['the value', VALUE],
    ['a part of the value', VALUE.slice(3, 15)],
    ['auth', base64(`token:${VALUE}`)],
    ['the payload', payload(VALUE).reveal()],
    ['the payload as the Secret holds it', base64(payload(VALUE).reveal())],
    ['a part of that', base64(payload(VALUE).reveal()).slice(40, 80)],
    ['the value encoded once more', base64(VALUE)],
    ['the value encoded behind something else', base64(`x${VALUE}`)],
  ];
  for (const [what, text] of quotes)
    it(`lose ${what}`, () => {
      const shown = redacted(`no: ${text} is bad`);
      expect(shown).to.match(/^no: .*\[redacted\].* is bad$/s);
      for (let at = 0; at + 8 <= VALUE.length; at++) expect(shown).to.not.include(VALUE.slice(at, at + 8));
    });

  it('lose the payload as the Secret holds it to its last character', () => {
    for (const length of [20, 21, 22]) {
      const one = payload('s'.repeat(length));
      expect(redactValues(base64(one.reveal()), [one])).to.equal('[redacted]');
    }
  });

  it('lose what was there before a Secret was taken over, docker configuration or not', () => {
    const former = [payload('another-secret-value'), new Redacted('not a configuration at all')];
    expect(redactValues('was another-secret-value, or not a configuration', former)).to.equal(
      'was [redacted], or [redacted]',
    );
  });

  it('lose a short value only as a whole', () => {
    expect(redactValues('pw: s3cret!', [payload('s3cret!')])).to.equal('pw: [redacted]');
  });

  it('keep what is too short to be told from other words', () => {
    expect(redactValues('no: a pod has no tag', [payload('no'), payload('tag')])).to.equal(
      'no: a pod has no tag',
    );
  });

  describe('are left out as a whole, so that no payload takes long to search for,', () => {
    const many = (count: number): Redacted =>
      new Redacted(JSON.stringify(Array.from({ length: count }, (_, each) => `value-${each}`)));
    for (const [what, payloads] of [
      ['where it has more than 64 values', [payload(VALUE), many(65)]],
      ['where it has more than 65536 characters', [new Redacted('x'.repeat(65_537)), payload(VALUE)]],
    ] as const)
      it(what, () => expect(redactValues('denied', payloads)).to.equal(''));

    it('not where its values are 64, however often each is there', () => {
      const repeated = new Redacted(`[${many(64).reveal()},${many(64).reveal()}]`);
      expect(redactValues('denied: value-63', [repeated])).to.equal('denied: [redacted]');
    });

    it('not where it is nested deeper than a stack is', () => {
      const nested = new Redacted(`${'['.repeat(30_000)}"${VALUE}"${']'.repeat(30_000)}`);
      expect(redactValues(`denied: ${VALUE}`, [nested])).to.equal('denied: [redacted]');
    });
  });

  it('never hold eight characters in a row of a value, however it is cut and mixed', () => {
    const values = fc.string({ minLength: 8, maxLength: 60 });
    const cuts = fc.array(fc.tuple(fc.nat(60), fc.nat(60), fc.string({ maxLength: 9 })), { maxLength: 6 });
    fc.assert(
      fc.property(values, cuts, (value, pieces) => {
        const text = pieces
          .map(([from, length, between]) => value.slice(from, from + length) + between)
          .join('');
        const shown = redactValues(text, [payload(value)]).replaceAll('[redacted]', '\u0000');
        for (let at = 0; at + 8 <= value.length; at++) expect(shown).to.not.include(value.slice(at, at + 8));
      }),
    );
  });
});

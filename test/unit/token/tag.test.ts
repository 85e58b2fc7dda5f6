import { expect } from 'chai';
import * as fc from 'fast-check';
import { InvalidSpec, readTokenSpec } from '../../../src/api/registry-token.ts';
import {
  cameOf,
  describe as describeToken,
  newNonce,
  readTag,
  type Tag,
} from '../../../src/token/sweep/tag.ts';
import { aToken } from '../../support/builders.ts';

const TAG: Tag = { clusterId: 'prod-eu.1', uid: '0b6e4a1c-5f0d-4b8e-9a57-3d2c1f0e9b8a', revision: 7 };
const NONCE = 'k3x9a0zz';
const MARKER = '[pullsecrets.dev:prod-eu.1:0b6e4a1c-5f0d-4b8e-9a57-3d2c1f0e9b8a:7]';

const tags = fc.record({
  clusterId: fc.stringMatching(/^[A-Za-z0-9.-]{1,63}$/),
  uid: fc.stringMatching(/^[A-Za-z0-9-]{1,63}$/),
  revision: fc.integer({ min: 1, max: 999_999_999_999_999 }),
});
const nonces = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map(newNonce);

/** Texts as users may write them, odd ones among them, that a spec allows. */
const descriptions = fc
  .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(' ', 'a ', 'pullsecrets.dev:a:b:1', ':', '\u2028'))
  .filter((description) => {
    try {
      return readTokenSpec(aToken({ spec: { description } })).description === description;
    } catch (error) {
      if (error instanceof InvalidSpec) return false;
      throw error;
    }
  });

describe('the tag in a description', () => {
  it('stands alone where the user wrote nothing', () => expect(describeToken('', TAG)).to.equal(MARKER));
  it('comes after what the user wrote', () => {
    expect(describeToken('for the build', TAG)).to.equal(`for the build ${MARKER}`);
  });

  it('is read back behind any description that a spec allows', () => {
    fc.assert(
      fc.property(descriptions, tags, (description, tag) => {
        expect(readTag(describeToken(description, tag))).to.deep.equal(tag);
      }),
    );
  });

  it('is read back with the nonce of its request', () => {
    fc.assert(
      fc.property(descriptions, tags, nonces, (description, tag, nonce) => {
        expect(readTag(describeToken(description, { ...tag, nonce }))).to.deep.equal({ ...tag, nonce });
      }),
    );
  });

  it('tells two requests of the same revision apart', () => {
    expect(cameOf({ ...TAG, nonce: NONCE }, { revision: 7, nonce: NONCE })).to.equal(true);
    expect(cameOf({ ...TAG, nonce: NONCE }, { revision: 7, nonce: 'k3x9a0zy' })).to.equal(false);
    expect(cameOf({ ...TAG, nonce: NONCE }, { revision: 7 })).to.equal(false);
    expect(cameOf(TAG, { revision: 7 })).to.equal(true);
    expect(cameOf(TAG, { revision: 8 })).to.equal(false);
  });

  it('can not be forged by a description that a spec allows', () => {
    fc.assert(
      fc.property(descriptions, (description) => {
        expect(readTag(description)).to.be.undefined;
      }),
    );
  });

  it('counts only where it is last: what comes before is what somebody wrote', () => {
    const forged = '[pullsecrets.dev:prod-eu.1:somebody-else:1]';
    expect(readTag(`${forged} ${MARKER}`)).to.deep.equal(TAG);
  });

  const nobodys: [string, string][] = [
    ['nothing', ''],
    ['no tag', 'for the build'],
    ["another operator's", MARKER.replace('pullsecrets.dev', 'example.com')],
    ['a name with any letter for the dot', MARKER.replace('pullsecrets.dev', 'pullsecretsxdev')],
    ['one glued to a word', `build${MARKER}`],
    ['one with text behind it', `${MARKER} old`],
    ['one with a line break behind it', `${MARKER}\n`],
    ['one without its end', MARKER.slice(0, -1)],
    ['one without its start', MARKER.slice(1)],
    ['one without a cluster', '[pullsecrets.dev::uid:7]'],
    ['one without a uid', '[pullsecrets.dev:prod::7]'],
    ['one without a revision', '[pullsecrets.dev:prod:uid:]'],
    ['one with too few parts', '[pullsecrets.dev:prod:7]'],
    ['one with too many parts', '[pullsecrets.dev:a:b:c:7]'],
    ['revision 0', '[pullsecrets.dev:prod:uid:0]'],
    ['a revision with a leading 0', '[pullsecrets.dev:prod:uid:07]'],
    ['a negative revision', '[pullsecrets.dev:prod:uid:-7]'],
    ['a broken revision', '[pullsecrets.dev:prod:uid:7.5]'],
    ['a revision too large to count', `[pullsecrets.dev:prod:uid:${'9'.repeat(16)}]`],
    ['a space inside', '[pullsecrets.dev:prod: uid:7]'],
    ['a nonce that is too short', MARKER.replace(']', ':k3x9]')],
    ['a nonce that is too long', MARKER.replace(']', `:${NONCE}z]`)],
    ['upper case', MARKER.toUpperCase()],
  ];
  for (const [name, description] of nobodys) {
    it(`is nobody's: ${name}`, () => expect(readTag(description)).to.be.undefined);
  }

  it("is nobody's wherever it was cut off", () => {
    for (let length = 0; length < MARKER.length; length++)
      expect(readTag(`build ${MARKER.slice(0, length)}`)).to.be.undefined;
  });
});

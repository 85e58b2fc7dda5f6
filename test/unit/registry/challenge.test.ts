import { expect } from 'chai';
import * as fc from 'fast-check';
import { readChallenge } from '../../../src/registry/login-probe/challenge.ts';

const REALM = 'https://us.icr.io/oauth/token';
const BOTH = { scheme: 'Bearer', realm: REALM, service: 'registry' };

const rows: [what: string, header: string, challenge: object | undefined][] = [
  ['as CNCF Distribution writes it', `Bearer realm="${REALM}",service="registry"`, BOTH],
  ["as IBM's registry writes it", `Bearer realm=${REALM}, service=registry`, BOTH],
  [
    'with a scope and an error',
    `Bearer realm="${REALM}",service="registry",scope="repository:a/b:pull,push",error="invalid_token"`,
    BOTH,
  ],
  [
    'a comma between quotes',
    `Bearer scope="repository:a/b:pull,push",realm="${REALM}",service="registry"`,
    BOTH,
  ],
  ['some quoted, some not', `Bearer realm="${REALM}", service=registry`, BOTH],
  ['blanks around everything', `  Bearer   realm = "${REALM}" ,  service = registry  `, BOTH],
  ['blanks in place of commas', `Bearer realm="${REALM}" service="registry"`, BOTH],
  ['any case of scheme and names', `BEARER Realm="${REALM}",SERVICE="registry"`, BOTH],
  [
    'escaped characters',
    `Bearer realm="${REALM}",service="the \\"best\\" one"`,
    { scheme: 'Bearer', realm: REALM, service: 'the "best" one' },
  ],
  [
    'a query in the realm',
    `Bearer realm=${REALM}?a=b, service=registry`,
    { scheme: 'Bearer', realm: `${REALM}?a=b`, service: 'registry' },
  ],
  [
    'after another challenge',
    `Basic realm="Bearer realm=x", Bearer realm="${REALM}",service="registry"`,
    BOTH,
  ],
  ['before another challenge', `Bearer realm="${REALM}",service="registry", Basic realm="all"`, BOTH],
  ['after one with a token68', `Negotiate YWJj==, Bearer realm="${REALM}",service="registry"`, BOTH],
  ['without a service', `Bearer realm="${REALM}"`, { scheme: 'Bearer', realm: REALM, service: undefined }],
  [
    'without a realm',
    'Bearer service="registry"',
    { scheme: 'Bearer', realm: undefined, service: 'registry' },
  ],
  ['alone', 'Bearer', { scheme: 'Bearer', realm: undefined, service: undefined }],
  [
    'with a quote that does not end',
    `Bearer realm="${REALM}`,
    { scheme: 'Bearer', realm: undefined, service: undefined },
  ],
  ['Basic, where there is no Bearer', 'Basic realm="x"', { scheme: 'Basic' }],
  ['neither', 'Negotiate abc==', undefined],
  ['nothing', '', undefined],
  ['nonsense', '=,="', undefined],
];

describe('a challenge', () => {
  for (const [what, header, challenge] of rows) {
    it(`is read: ${what}`, () => expect(readChallenge(header)).to.deep.equal(challenge));
  }

  it('is read back however it is written', () => {
    const value = fc.stringMatching(/^[\w:/.?&-]{1,30}$/);
    const blank = fc.constantFrom('', ' ', '  ');
    fc.assert(
      fc.property(value, value, blank, blank, fc.boolean(), (realm, service, one, other, quoted) => {
        const write = (text: string): string => (quoted ? `"${text}"` : text);
        const header = `Bearer realm${one}=${other}${write(realm)}${one},${other}service=${write(service)}`;
        expect(readChallenge(header)).to.deep.equal({ scheme: 'Bearer', realm, service });
      }),
    );
  });

  it('never fails on what it is given, and is done in no time', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }), (header) => void readChallenge(header)));
    const begun = process.cpuUsage();
    for (const part of ['a', 'a ', 'a=', '"', '\\"', ', ', 'Bearer ']) readChallenge(part.repeat(16_000));
    expect(process.cpuUsage(begun).user).to.be.below(1_000_000);
  });
});

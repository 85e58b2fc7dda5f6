import { expect } from 'chai';
import * as fc from 'fast-check';
import { expiryOf, rotationTime, shortestInForce } from '../../../src/token/lifecycle/schedule.ts';
import { aRecord, aTokenSpec, at, DAY, HOUR, ISSUED, MINUTE, SECOND } from '../../support/builders.ts';

type Rotation = Parameters<typeof rotationTime>[1];

const AUTO = aTokenSpec().rotation;
const JITTER = 0.05;

const time = (uid: string, revision: number) => rotationTime(aRecord({ revision }), AUTO, uid);

/** Time in force of a token that lives for `life`, over many tokens. */
function spread(life: number | undefined, rotation: Partial<Rotation>): { earliest: number; latest: number } {
  const expiresAt = life === undefined ? undefined : at(life);
  const times = Array.from({ length: 500 }, (_, revision) =>
    Number(rotationTime(aRecord({ expiresAt, revision }), { ...AUTO, ...rotation }, 'uid')),
  );
  return { earliest: Math.min(...times) - ISSUED, latest: Math.max(...times) - ISSUED };
}

describe('the time of a rotation', () => {
  const rows: [name: string, life: number | undefined, rotation: Partial<Rotation>, latest: number][] = [
    ['comes a third of its life before a token expires', DAY, {}, 16 * HOUR],
    ['comes the margin before it', DAY, { renewBefore: HOUR }, 23 * HOUR],
    ['comes when it expires, with no margin', DAY, { renewBefore: 0 }, DAY],
    ['leaves a token some life, with nearly all of it as margin', DAY, { renewBefore: DAY - MINUTE }, MINUTE],
    [
      'goes back to a third where the real life is shorter than the margin',
      HOUR,
      { renewBefore: 8 * HOUR },
      40 * MINUTE,
    ],
    [
      'goes back to a third where the margin leaves next to nothing',
      HOUR,
      { renewBefore: HOUR - 29 * SECOND },
      40 * MINUTE,
    ],
    ['goes back to a third where the real life is just the margin', HOUR, { renewBefore: HOUR }, 40 * MINUTE],
    [
      'comes after its time in force, for a token that never expires',
      undefined,
      { rotateEvery: 30 * DAY },
      30 * DAY,
    ],
  ];
  for (const [name, life, rotation, latest] of rows) {
    it(`${name}, or up to a twentieth earlier`, () => {
      const actual = spread(life, rotation);
      expect(actual.latest).to.be.within(latest * (1 - JITTER / 10), latest);
      expect(actual.earliest).to.be.within(latest * (1 - JITTER) - 1, latest * (1 - JITTER * 0.9));
    });
  }

  describe('of a token that is in use for a shorter time than the registry gives', () => {
    const HALF_A_DAY = { lifetime: '12h', expiresAt: at(DAY) };
    const shorter: [
      what: string,
      record: Parameters<typeof aRecord>[0],
      rotation: Partial<Rotation>,
      latest: number,
    ][] = [
      ['comes a third of that time before its end', HALF_A_DAY, {}, 8 * HOUR],
      ['comes the margin before that', HALF_A_DAY, { renewBefore: HOUR }, 11 * HOUR],
      [
        'goes back to a third where only the registry gives more than the margin',
        HALF_A_DAY,
        { renewBefore: 20 * HOUR },
        8 * HOUR,
      ],
      ['goes by the expiry where that comes first', { lifetime: '36h', expiresAt: at(DAY) }, {}, 16 * HOUR],
      [
        'goes by that time where the registry says of no expiry',
        { lifetime: '12h', expiresAt: undefined },
        {},
        8 * HOUR,
      ],
      ['goes by the expiry where that time can not be read', { lifetime: 'a while' }, {}, 16 * HOUR],
    ];
    for (const [what, record, rotation, latest] of shorter)
      it(what, () => {
        const replaced = Number(rotationTime(aRecord(record), { ...AUTO, ...rotation }, 'uid')) - ISSUED;
        expect(replaced).to.be.within(latest * (1 - JITTER), latest);
      });

    it('leaves so much between two tokens, at the least', () => {
      const rhythm = { lifetime: 12 * HOUR, rotation: AUTO };
      const planned = 8 * HOUR * (1 - JITTER);
      expect(shortestInForce(aRecord(HALF_A_DAY), rhythm)).to.equal(planned);
      expect(shortestInForce(undefined, rhythm), 'before there is a token').to.equal(planned);
    });
  });

  const never: [string, ReturnType<typeof aRecord>, Rotation][] = [
    ['with rotation by hand only', aRecord(), { ...AUTO, policy: 'Manual' }],
    ['for ever, without a schedule', aRecord({ expiresAt: undefined }), AUTO],
    [
      'by hand only, even with a schedule',
      aRecord({ expiresAt: undefined }),
      { ...AUTO, policy: 'Manual', rotateEvery: DAY },
    ],
  ];
  for (const [name, record, rotation] of never) {
    it(`is none ${name}`, () => expect(rotationTime(record, rotation, 'uid')).to.be.undefined);
  }

  it('is the same whenever it is asked for, and another for another token', () => {
    expect(time('a', 1)).to.equal(time('a', 1)).and.not.equal(time('a', 2)).and.not.equal(time('b', 1));
  });

  it('comes at once for a token that was dead when it came', () => {
    expect(rotationTime(aRecord({ expiresAt: at(-HOUR) }), AUTO, 'uid')).to.equal(ISSUED - HOUR);
  });

  it('lies well after issue and no later than expiry, whatever the life and the margin', () => {
    const seconds = fc.integer({ min: 60, max: 1e9 });
    fc.assert(
      fc.property(seconds, fc.option(seconds), fc.uuid(), fc.nat(), (life, margin, uid, revision) => {
        const rotation = { ...AUTO, renewBefore: margin === null ? undefined : margin * SECOND };
        const record = aRecord({ expiresAt: at(life * SECOND), revision });
        const replaced = Number(rotationTime(record, rotation, uid));
        expect(replaced)
          .to.be.at.least(ISSUED + 28 * SECOND)
          .and.at.most(expiryOf(record));
      }),
    );
  });
});

describe('the expiry of a token', () => {
  it('is what its record says', () => expect(expiryOf(aRecord())).to.equal(ISSUED + DAY));
  it('never comes where it says nothing', () => expect(expiryOf({})).to.equal(Infinity));
});

import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { ROTATE_ANNOTATION } from '../../../src/api/names.ts';
import type { ConditionUpdate } from '../../../src/api/conditions.ts';
import type { Assessment } from '../../../src/controller/token/assessor.ts';
import { tellDead } from '../../../src/controller/token/dead-token.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { decide } from '../../../src/token/decide/decision.ts';
import { aSituation, HOUR, ISSUED, ours } from '../../support/builders.ts';

const EXPIRED = { now: ISSUED + 25 * HOUR };

/** @param changes whether that changes the status @returns what Ready said, and whether it was told that something changed */
async function tell(
  situation: Parameters<typeof aSituation>[0],
  { memory = new Memory(), changes = true, refused = false } = {},
): Promise<{ ready: ConditionUpdate | undefined; told: boolean }> {
  const all = aSituation(situation);
  const { token, spec, wanted, secret } = all;
  const assessment: Assessment = refused
    ? { refusal: { reason: 'InvalidSpec', message: 'no' }, spec }
    : { spec, wanted, secret, situation: all, decision: decide(all) };
  let ready: ConditionUpdate | undefined;
  const write = (
    stored: RegistryToken,
    _: unknown,
    updates: readonly ConditionUpdate[],
  ): Promise<RegistryToken> => {
    ready = updates.find(({ type }) => type === 'Ready');
    return Promise.resolve(changes ? { ...stored } : stored);
  };
  const options = { memory, statuses: { write } };
  return { told: await tellDead(token, assessment, options, new AbortController().signal), ready };
}

describe('that pods can not pull with a Secret', () => {
  it('is told before another token is issued, once for each token', async () => {
    const memory = new Memory();
    const { told, ready } = await tell(EXPIRED, { memory });
    expect(told).to.equal(true);
    expect(ready).to.include({ status: 'False', reason: 'Rotating' });
    expect(await tell(EXPIRED, { memory })).to.deep.equal({ told: false, ready: undefined });
  });

  it('is told of a token that is gone from the registry, though the Secret holds it', async () => {
    const { told, ready } = await tell({ tokenIsGone: true });
    expect([told, ready?.status]).to.deep.equal([true, 'False']);
  });

  it('is told of a token that the Secret does not hold any more and that is due', async () => {
    const { told, ready } = await tell({ now: ISSUED + 23 * HOUR, secret: ours({ holds: 'another' }) });
    expect([told, ready?.status]).to.deep.equal([true, 'False']);
  });

  it('keeps nobody waiting where the status says so already', async () => {
    const memory = new Memory();
    expect((await tell(EXPIRED, { memory, changes: false })).told).to.equal(false);
    expect((await tell(EXPIRED, { memory })).ready, 'told again').to.equal(undefined);
  });

  const not: [what: string, situation: Parameters<typeof aSituation>[0], refused?: boolean][] = [
    ['where no token is to be issued', {}],
    ['where its token is alive', { now: ISSUED + 23 * HOUR }],
    ['where it never had one', { token: { status: { token: undefined } } }],
    ['where its spec is refused', EXPIRED, true],
    ['where its spec was just changed', { ...EXPIRED, token: { metadata: { generation: 2 } } }],
    [
      'where people ask for another now',
      { ...EXPIRED, token: { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } } },
    ],
  ];
  for (const [what, situation, refused = false] of not)
    it(`is not told ${what}`, async () => {
      expect(await tell(situation, { refused })).to.deep.equal({ told: false, ready: undefined });
    });
});

import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { rotationState } from '../../../src/cli/rotation/request.ts';
import type { Part } from '../../support/builders.ts';
import { CliStage, forbidden, listOf, type Answers } from './support/cli-stage.ts';
import { accountOf, ACCOUNTS, readyToken, TOKENS, troubled } from './support/objects.ts';

const VALUE = '2026-11-30T12:00:00.000Z';
const request = { value: VALUE, revokeNow: false };
const handled: Part<RegistryToken> = { status: { lastHandledRotate: VALUE } };

/** A RegistryToken that the operator takes through these states, one at each look. */
function stageOf(...states: RegistryToken[]): CliStage {
  let look = 0;
  const next = (): RegistryToken => states[Math.min(look++, states.length - 1)] ?? readyToken();
  return new CliStage({ [`GET ${TOKENS}/app-pull`]: next, [`PATCH ${TOKENS}/app-pull`]: {} });
}
const patches = (stage: CliStage): unknown[] =>
  stage.calls.filter(({ method }) => method === 'PATCH').map(({ body }) => body);
const gone = { previousTokens: undefined };
const ofTemplate: Part<RegistryToken> = {
  metadata: {
    ownerReferences: [
      {
        apiVersion: 'pullsecrets.dev/v1alpha1',
        kind: 'ClusterRegistryToken',
        name: 'all',
        uid: 'u',
        controller: true,
      },
    ],
  },
};

describe('the state of a rotation', () => {
  const error = { time: '', reason: 'x', message: 'no answer' };
  for (const [what, part, revokeNow, expected] of [
    ['nothing came of yet', {}, false, { state: 'Asked', trouble: '' }],
    ['was acted on', handled, false, { state: 'Rotated', revision: 3 }],
    [
      'was acted on, while previous tokens live that are to be revoked',
      handled,
      true,
      { state: 'Revoking', left: 1, message: '' },
    ],
    [
      'was acted on, with nothing left to revoke',
      { status: { ...handled.status, ...gone } },
      true,
      { state: 'Rotated', revision: 3 },
    ],
    [
      'the budget holds',
      troubled('MintBudgetExceeded', 'at 13:00'),
      false,
      { state: 'Held', reason: 'MintBudgetExceeded', message: 'at 13:00', stalled: true },
    ],
    [
      'was tried and failed',
      {
        status: {
          ...troubled('RegistryForbidden', '403').status,
          lastTriedRotate: VALUE,
          lastFailure: error,
        },
      },
      false,
      { state: 'Held', reason: 'RegistryForbidden', message: '403', stalled: false },
    ],
    [
      'came while the registry is down',
      troubled('RegistryUnavailable', 'down'),
      false,
      { state: 'Asked', trouble: 'RegistryUnavailable: down' },
    ],
  ] as const)
    it(`of a request that ${what} is ${expected.state}`, () => {
      const token = readyToken(part);
      expect(rotationState(token, { value: VALUE, revokeNow })).to.deep.equal(expected);
    });

  it('is none of an earlier request', () => {
    const token = readyToken({ status: { lastHandledRotate: 'before' } });
    expect(rotationState(token, request).state).to.equal('Asked');
  });
});

describe('kubectl registrytoken rotate', () => {
  it('asks by the annotation, and says so', async () => {
    const stage = stageOf(readyToken(), readyToken(handled));
    expect(await stage.run(['rotate', 'app-pull'])).to.deep.include({
      exit: 0,
      out: 'registrytoken.pullsecrets.dev/app-pull rotation requested\nregistrytoken.pullsecrets.dev/app-pull rotated, revision 3\n',
    });
    expect(patches(stage)).to.deep.equal([
      { metadata: { annotations: { 'pullsecrets.dev/rotate': VALUE } } },
    ]);
  });

  it('asks by another value than there is', async () => {
    const stage = stageOf(readyToken({ metadata: { annotations: { 'pullsecrets.dev/rotate': VALUE } } }));
    await stage.run(['rotate', 'app-pull']);
    expect(patches(stage))
      .to.have.nested.property('[0].metadata.annotations.pullsecrets\\.dev/rotate')
      .not.equal(VALUE);
  });

  it('tells of a budget in the way, and is done all the same: the request stands', async () => {
    const stage = stageOf(readyToken(), readyToken(troubled('MintBudgetExceeded', 'the next at 13:00')));
    const { exit, out } = await stage.run(['rotate', 'app-pull']);
    expect(exit).to.equal(0);
    expect(out).to.include('app-pull not rotated yet, MintBudgetExceeded: the next at 13:00\n');
  });

  it('with --wait shows how far it is, and fails when its time is over', async () => {
    const stage = stageOf(
      readyToken(),
      readyToken(),
      readyToken(troubled('MintBudgetExceeded', 'the next at 13:00')),
    );
    const { exit, err } = await stage.run(['rotate', 'app-pull', '--wait', '--timeout', '1m']);
    expect(exit).to.equal(1);
    expect(err).to.match(
      /^app-pull not rotated yet, the operator is at it\napp-pull not rotated yet, MintBudgetExceeded: the next at 13:00\n/,
    );
    expect(err).to.match(/error: 1 of 1 not rotated yet\nto do: the request stands, .*\n$/);
  });

  it('with --revoke-now has no grace period until all previous tokens are revoked, and gives back what there was', async () => {
    const rotation = { gracePeriod: '2h' };
    const stage = stageOf(
      readyToken({ spec: { rotation } }),
      readyToken(),
      readyToken(handled),
      readyToken({ status: { ...handled.status, ...gone } }),
    );
    const { exit, err } = await stage.run(['rotate', 'app-pull', '--revoke-now']);
    expect(exit).to.equal(0);
    expect(err).to.include('rotated; 1 previous to be revoked');
    expect(patches(stage)).to.deep.equal([
      {
        metadata: { annotations: { 'pullsecrets.dev/rotate': VALUE } },
        spec: { rotation: { gracePeriod: '0s' } },
      },
      { spec: { rotation: { gracePeriod: '2h' } } },
    ]);
  });

  it('with --revoke-now takes the grace period away again where there was none', async () => {
    for (const [spec, restored] of [
      [{}, null],
      [{ rotation: { policy: 'Manual' as const } }, { gracePeriod: null }],
    ] as const) {
      const stage = stageOf(readyToken({ spec }), readyToken({ status: { ...handled.status, ...gone } }));
      await stage.run(['rotate', 'app-pull', '--revoke-now']);
      expect(patches(stage)[1]).to.deep.equal({ spec: { rotation: restored } });
    }
  });

  it('with --revoke-now keeps the grace period short where nothing is rotated yet, and says how to give it back', async () => {
    const stage = stageOf(readyToken());
    const { exit, err } = await stage.run(['rotate', 'app-pull', '--revoke-now', '--timeout', '2s']);
    expect(exit).to.equal(1);
    expect(patches(stage)).to.have.lengthOf(1);
    expect(err).to.include(
      `kubectl -n team-a patch registrytoken app-pull --type=merge -p '{"spec":{"rotation":null}}'`,
    );
  });

  describe('with --revoke-now, ended before its time', () => {
    const other = readyToken({ metadata: { name: 'other' } });
    const both = { [`GET ${TOKENS}`]: listOf(readyToken(), other) };
    const path = `${TOKENS}/other`;
    const refused = forbidden('patch', path, 'registrytokens.pullsecrets.dev', 'team-a');
    const restoring = (name: string) => `kubectl -n team-a patch registrytoken ${name} --type=merge`;

    it('while it asks for one after the other, says how to give back the grace periods that it took', async () => {
      const stage = new CliStage({
        ...both,
        [`PATCH ${TOKENS}/app-pull`]: {},
        [`PATCH ${path}`]: refused as unknown as object,
      });
      const { exit, err } = await stage.run(['rotate', '--all', '--revoke-now']);
      expect(exit).to.equal(1);
      expect(err).to.include(restoring('app-pull')).and.include('error: you may not patch');
      expect(err).to.not.include(restoring('other'));
    });

    it('by Ctrl-C while it asks, takes no further grace period', async () => {
      const stage = new CliStage({
        ...both,
        [`PATCH ${TOKENS}/app-pull`]: () => {
          stage.stopping.abort(new Error('SIGINT'));
          return {};
        },
      });
      const { exit, err } = await stage.run(['rotate', '--all', '--revoke-now']);
      expect(exit).to.equal(130);
      expect(err).to.include(restoring('app-pull')).and.not.include(restoring('other'));
    });

    it('gives back what it can, and says how to give back the rest', async () => {
      const done = { status: { ...handled.status, ...gone } };
      let patched = 0;
      const stage = new CliStage({
        ...both,
        [`GET ${TOKENS}/app-pull`]: readyToken(done),
        [`GET ${path}`]: readyToken({ ...done, metadata: { name: 'other' } }),
        [`PATCH ${TOKENS}/app-pull`]: () => {
          if (patched++ > 0) throw refused;
          return {};
        },
        [`PATCH ${path}`]: {},
      });
      const { err } = await stage.run(['rotate', '--all', '--revoke-now']);
      expect(err).to.include(restoring('app-pull')).and.not.include(restoring('other'));
      expect(patches(stage)).to.have.lengthOf(4);
    });
  });

  for (const [what, part, flags, message] of [
    ['a suspended one', { spec: { suspend: true } }, [], 'is suspended: nothing is rotated'],
    [
      'one that is being deleted',
      { metadata: { deletionTimestamp: '2026-11-30T12:00:00Z' } },
      [],
      'is being deleted',
    ],
    [
      'one that a ClusterRegistryToken keeps as its template says, with --revoke-now',
      ofTemplate,
      ['--revoke-now'],
      'ClusterRegistryToken all would give back its grace period',
    ],
    [
      'one whose registry revokes nothing, with --revoke-now',
      { status: { token: { ...readyToken().status?.token, revocable: false } } },
      ['--revoke-now'],
      "its registry can't revoke tokens, and the one in use lives until 2026-12-01T10:00:00Z",
    ],
  ] as const)
    it(`refuses ${what}, and asks for nothing`, async () => {
      const stage = stageOf(readyToken(part));
      const { exit, err } = await stage.run(['rotate', 'app-pull', ...flags]);
      expect(exit).to.equal(1);
      expect(err).to.include(message);
      expect(patches(stage)).to.deep.equal([]);
    });

  it('of all leaves out what can not be rotated, and counts the rest', async () => {
    const other = readyToken({ metadata: { name: 'other' }, spec: { suspend: true } });
    const answers: Answers = {
      [`GET ${TOKENS}`]: listOf(readyToken(), other),
      [`GET ${TOKENS}/app-pull`]: readyToken(handled),
      [`PATCH ${TOKENS}/app-pull`]: {},
    };
    const { exit, out, err } = await new CliStage(answers).run(['rotate', '--all', '--wait']);
    expect(exit).to.equal(0);
    expect(err).to.equal('left out: RegistryToken team-a/other is suspended: nothing is rotated\n');
    expect(out).to.include('app-pull rotated, revision 3');
  });

  it('of an account asks by its spec, and follows its progress', async () => {
    let look = 0;
    const progress = (done: number) => {
      const account = accountOf('True', 'CredentialsAccepted', '');
      return {
        ...account,
        status: { ...account.status, rotation: { requestedAt: '2026-11-30T12:00:00Z', done, total: 3 } },
      };
    };
    const looks = [accountOf('True', 'CredentialsAccepted', ''), progress(1), progress(3)];
    const stage = new CliStage({
      [`GET ${ACCOUNTS}/default`]: () => looks[look++] ?? {},
      [`PATCH ${ACCOUNTS}/default`]: accountOf('True', 'CredentialsAccepted', ''),
    });
    const { exit, out, err } = await stage.run(['rotate', '--account', 'default', '--wait']);
    expect({ exit, err }).to.deep.equal({
      exit: 0,
      err: 'the operator has not seen the request yet\n1 of 3 tokens rotated\n',
    });
    expect(out).to.match(/default rotation of all its tokens requested\n.*default 3 tokens rotated\n$/);
    expect(patches(stage)).to.deep.equal([{ spec: { rotation: { requestedAt: '2026-11-30T12:00:00Z' } } }]);
  });

  it('of an account that Helm installed says what the next helm upgrade needs', async () => {
    const account = accountOf('True', 'CredentialsAccepted', '');
    const annotations = { 'meta.helm.sh/release-name': 'tokens\u001b[2J' };
    const stage = new CliStage({
      [`PATCH ${ACCOUNTS}/default`]: { ...account, metadata: { ...account.metadata, annotations } },
    });
    expect(await stage.run(['rotate', '--account', 'default'])).to.deep.include({
      exit: 0,
      err: "it is of Helm's release tokens [2J: the next helm upgrade that sets its rotation.requestedAt needs --force-conflicts\n",
    });
  });

  it('says which right is missing', async () => {
    const path = `${TOKENS}/app-pull`;
    const stage = new CliStage({
      [`GET ${path}`]: readyToken(),
      [`PATCH ${path}`]: forbidden('patch', path, 'registrytokens.pullsecrets.dev', 'team-a'),
    });
    const { exit, err } = await stage.run(['rotate', 'app-pull']);
    expect(exit).to.equal(1);
    expect(err).to.match(
      /^error: you may not patch registrytokens\.pullsecrets\.dev in namespace team-a \(user jane\)\nto do: ask /,
    );
  });

  for (const argv of [
    [],
    ['app-pull', '--all'],
    ['--account', 'a', '--revoke-now'],
    ['app-pull', '--timeout', '1d'],
  ])
    it(`refuses ${['rotate', ...argv].join(' ')}`, async () => {
      expect(await stageOf(readyToken()).run(['rotate', ...argv])).to.include({ exit: 1, out: '' });
    });
});

describe('kubectl registrytoken suspend and resume', () => {
  it('say what becomes of the token meanwhile', async () => {
    const stage = stageOf(readyToken());
    expect(await stage.run(['suspend', 'app-pull'])).to.deep.equal({
      exit: 0,
      out: 'registrytoken.pullsecrets.dev/app-pull suspended\n',
      err: 'Its token is not replaced meanwhile, and expires 2026-12-01T10:00:00Z (in 22h).\n',
    });
    expect(patches(stage)).to.deep.equal([{ spec: { suspend: true } }]);
  });

  it('go back by resume', async () => {
    const stage = stageOf(readyToken({ spec: { suspend: true } }));
    expect(await stage.run(['resume', 'app-pull'])).to.include({
      out: 'registrytoken.pullsecrets.dev/app-pull resumed\n',
      err: '',
    });
    expect(patches(stage)).to.deep.equal([{ spec: { suspend: false } }]);
  });

  it('write nothing that a ClusterRegistryToken would change back', async () => {
    const stage = stageOf(readyToken(ofTemplate));
    const { exit, err } = await stage.run(['suspend', 'app-pull']);
    expect(exit).to.equal(1);
    expect(err).to.match(/^error: ClusterRegistryToken all would change spec\.suspend back at once\n/);
    expect(patches(stage)).to.deep.equal([]);
  });

  it('write nothing where it is so already', async () => {
    for (const [command, suspend] of [
      ['suspend', true],
      ['resume', false],
    ] as const) {
      const stage = stageOf(readyToken({ spec: { suspend } }));
      expect(await stage.run([command, 'app-pull'])).to.include({ exit: 0 });
      expect(patches(stage)).to.deep.equal([]);
    }
  });
});

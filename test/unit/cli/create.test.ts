import { expect } from 'chai';
import { parse } from 'yaml';
import type { RegistryTokenSpec } from '../../../src/api/registry-token.ts';
import { CliStage } from './support/cli-stage.ts';
import { readyToken, TOKENS, troubled } from './support/objects.ts';

const dry = async (...flags: string[]): Promise<{ spec: RegistryTokenSpec }> => {
  const stage = new CliStage();
  const { exit, out } = await stage.run(['create', 'app-pull', '--dry-run', '-o', 'yaml', ...flags]);
  expect(exit).to.equal(0);
  expect(stage.calls).to.deep.equal([]);
  return parse(out) as { spec: RegistryTokenSpec };
};

describe('kubectl registrytoken create', () => {
  it('with --dry-run prints an object that says no more than it was asked for', async () => {
    expect(await dry()).to.deep.equal({
      apiVersion: 'pullsecrets.dev/v1alpha1',
      kind: 'RegistryToken',
      metadata: { name: 'app-pull', namespace: 'team-a' },
      spec: {},
    });
  });

  for (const [flags, spec] of [
    [['--read-write'], { access: 'ReadWrite' }],
    [['--never-expiring'], { lifetime: 'Never' }],
    [['--lifetime', '24h'], { lifetime: '24h' }],
    [['--scope', 'a,b', '--scope', 'c'], { scope: ['a', 'b', 'c'] }],
    [['--description', 'of CI'], { description: 'of CI' }],
    [['--account', 'prod', '--region', 'eu-de'], { accountRef: { name: 'prod' }, region: 'eu-de' }],
    [
      ['--secret', 'pull', '--service-account', 'default'],
      { secret: { name: 'pull' }, serviceAccounts: ['default'] },
    ],
    [['--dry-run=client'], {}],
  ] as const)
    it(`with ${flags.join(' ')} asks for ${JSON.stringify(spec)}`, async () => {
      expect((await dry(...flags)).spec).to.deep.equal(spec);
    });

  for (const [flags, message] of [
    [['--lifetime', '1d'], 'spec.lifetime is "1d"; it takes a duration in hours, minutes and seconds'],
    [['--lifetime', '24h', '--never-expiring'], '--never-expiring and --lifetime say two things'],
    [['--description', 'a [b]'], 'spec.description is "a [b]"'],
  ] as const)
    it(`refuses ${flags.join(' ')} before it asks the cluster`, async () => {
      const stage = new CliStage();
      const { exit, err } = await stage.run(['create', 'app-pull', ...flags]);
      expect(exit).to.equal(1);
      expect(err).to.include(message);
      expect(stage.calls).to.deep.equal([]);
    });

  const creating = (...states: object[]): CliStage => {
    let look = 0;
    return new CliStage({
      [`POST ${TOKENS}`]: readyToken(),
      [`GET ${TOKENS}/app-pull`]: () => states[Math.min(look++, states.length - 1)] ?? {},
    });
  };

  it('creates it, and with --wait says when it is Ready', async () => {
    const stage = creating({ ...readyToken(), status: {} }, readyToken());
    expect(await stage.run(['create', 'app-pull', '--wait'])).to.deep.equal({
      exit: 0,
      out: 'registrytoken.pullsecrets.dev/app-pull created\nregistrytoken.pullsecrets.dev/app-pull ready\n',
      err: 'the operator has not looked at it yet\n',
    });
    expect(stage.calls[0]).to.deep.include({ method: 'POST' });
  });

  it('with --wait and -o json prints one object', async () => {
    const { out } = await creating(readyToken()).run(['create', 'app-pull', '--wait', '-o', 'json']);
    expect(JSON.parse(out)).to.include({ kind: 'RegistryToken' });
  });

  it('with --wait fails at once where only a change helps, and otherwise when its time is over', async () => {
    const invalid = creating(readyToken(troubled('InvalidSpec', 'spec.x is wrong')));
    const down = creating(readyToken(troubled('RegistryUnavailable', 'down')));
    for (const [stage, said] of [
      [invalid, 'InvalidSpec: spec.x is wrong'],
      [down, 'RegistryUnavailable: down'],
    ] as const) {
      const { exit, err } = await stage.run(['create', 'app-pull', '--wait', '--timeout', '5s']);
      expect(exit).to.equal(1);
      expect(err).to.include(
        `error: it is not Ready: ${said}\nto do: kubectl registrytoken why app-pull -n team-a\n`,
      );
    }
    expect(invalid.calls).to.have.lengthOf(2);
    expect(down.calls).to.have.lengthOf.above(5);
  });
});

import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { tokenReasons } from '../../../src/api/reasons.ts';
import type { StatusReport } from '../../../src/cli/status/report.ts';
import type { Part } from '../../support/builders.ts';
import { CliStage, listOf, type Answers } from './support/cli-stage.ts';
import {
  accountOf,
  ACCOUNTS,
  around,
  event,
  onlyTokens,
  PATHS,
  pod,
  readyToken,
  SECRET,
  TOKENS,
  troubled,
  writtenSecret,
} from './support/objects.ts';

const shown = async (answers: Answers, ...flags: string[]): Promise<string> => {
  const { exit, out, err } = await new CliStage(answers).run(['status', 'app-pull', ...flags]);
  expect({ exit, err }).to.deep.equal({ exit: 0, err: '' });
  return out;
};
const reportOf = async (answers: Answers): Promise<StatusReport> =>
  JSON.parse(await shown(answers, '-o', 'json')) as StatusReport;

describe('kubectl registrytoken status', () => {
  it('draws what is known of a RegistryToken that is Ready', async () => {
    expect(await shown(around(readyToken()))).to.equal(`\
RegistryToken team-a/app-pull: Ready, Issued: Secret app-pull holds a ReadOnly token for us.icr.io that expires at 2026-12-01T10:00:00Z
├─ Token token-3, revision 3, ReadOnly, for team-a
│  ├─ issued 2026-11-30T10:00:00Z (120m ago)
│  ├─ expires 2026-12-01T10:00:00Z (in 22h)
│  └─ next rotation 2026-12-01T02:00:00Z (in 14h)
├─ RegistryAccount default, region us-south: Ready, CredentialsAccepted
├─ Secret app-pull: holds the token above
│  └─ host us.icr.io, user iamapikey
├─ Previous tokens, still valid
│  └─ token-2, revision 2, is revoked at 2026-11-30T12:30:00Z (in 30m)
├─ ServiceAccount default: has the Secret
├─ Pods
│  └─ 2 with the Secret: web-1, web-2
└─ Events
   └─ 120m ago, Normal Rotated: issued token-3
`);
  });

  it('shows no value that stands in place of a user or in the address of a registry', async () => {
    const auths = {
      'https://bob:the-password-1@reg.test/v1/': { username: 'bob', password: 'the-password-1' },
      'ghcr.io': { username: 'the-token-of-bob', password: 'the-token-of-bob' },
    };
    const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') };
    const secret = { ...writtenSecret(readyToken()), data };
    const answers = around(readyToken(), { [`GET ${SECRET}`]: secret });
    for (const text of [await shown(answers), await shown(answers, '-o', 'json')])
      expect(text)
        .to.include('ghcr.io')
        .and.not.match(/the-password-1|the-token-of-bob/);
  });

  it('sends no terminal escape of those who write a Secret', async () => {
    const secret = writtenSecret(readyToken(), 'token\u001b[2J');
    const text = await shown(around(readyToken(), { [`GET ${SECRET}`]: secret }));
    expect(text).to.include('holds another token (token [2J)').and.not.include('\u001b');
  });

  it('leaves out what the user may not read, and says which right is missing', async () => {
    const text = await shown(onlyTokens(readyToken()));
    for (const line of [
      'RegistryAccount default, region us-south: not shown, you may not get registryaccounts.pullsecrets.dev in the whole cluster',
      'Secret app-pull: not shown, you may not get secrets in namespace team-a',
      'ServiceAccounts: not shown, you may not list serviceaccounts in namespace team-a',
      'Pods: not shown, you may not list pods in namespace team-a',
      'Events: not shown, you may not list events.events.k8s.io in namespace team-a',
    ])
      expect(text).to.include(line);
  });

  const token = readyToken();
  const edited = {
    ...writtenSecret(token),
    data: { '.dockerconfigjson': Buffer.from('{"auths":{"evil.test":{"username":"x"}}}').toString('base64') },
  };
  const foreign = {
    ...edited,
    metadata: {
      name: 'app-pull',
      namespace: 'team-a',
      uid: 'x',
      resourceVersion: '1',
      creationTimestamp: '',
    },
  };
  for (const [state, secret, line] of [
    ['Current', writtenSecret(token), 'holds the token above'],
    ['Other', writtenSecret(token, 'token-2'), 'holds another token (token-2)'],
    ['Edited', edited, 'does not hold what the operator wrote'],
    ['Foreign', foreign, 'was not made for this RegistryToken'],
    ['Absent', undefined, 'does not exist'],
  ] as const)
    it(`tells of a Secret that it ${line}`, async () => {
      const { [`GET ${SECRET}`]: _, ...others } = around(token);
      const answers = secret === undefined ? others : { ...others, [`GET ${SECRET}`]: secret };
      expect((await reportOf(answers)).secret.state).to.have.nested.property('value.state', state);
      expect(await shown(answers)).to.include(`Secret app-pull: ${line}`);
    });

  it('never shows a value, in no format', async () => {
    for (const format of ['table', 'json', 'yaml'])
      expect(await shown(around(readyToken()), '-o', format)).to.not.match(/value-of-the-token|auth"/);
  });

  it('tells of ServiceAccounts that lack the Secret or are not there', async () => {
    const spec = { serviceAccounts: ['default', 'builder', 'none'] };
    const answers = around(readyToken({ spec }), {
      [`GET ${PATHS.SERVICE_ACCOUNTS}`]: listOf(
        { metadata: { name: 'builder' } },
        { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'app-pull' }] },
      ),
    });
    expect((await reportOf(answers)).serviceAccounts).to.deep.equal({
      value: [
        { name: 'builder', state: 'NotLinked' },
        { name: 'default', state: 'Linked' },
        { name: 'none', state: 'Absent' },
      ],
    });
  });

  it('tells of the ServiceAccounts that a pattern stands for, and of none that is called like the pattern', async () => {
    const given = { serviceAccounts: ['ci-*', 'builder'] };
    const answers = around(readyToken({ spec: given, status: given }), {
      [`GET ${PATHS.SERVICE_ACCOUNTS}`]: listOf(
        { metadata: { name: 'ci-1' }, imagePullSecrets: [{ name: 'app-pull' }] },
        { metadata: { name: 'ci-2' } },
        { metadata: { name: 'default' } },
      ),
    });
    expect((await reportOf(answers)).serviceAccounts).to.deep.equal({
      value: [
        { name: 'builder', state: 'Absent' },
        { name: 'ci-1', state: 'Linked' },
        { name: 'ci-2', state: 'NotLinked' },
      ],
    });
  });

  it('tells pods that use the Secret from those that could not pull', async () => {
    const answers = around(readyToken(), {
      [`GET ${PATHS.PODS}`]: listOf(pod('web-1'), pod('web-2', 'ImagePullBackOff')),
    });
    expect((await reportOf(answers)).pods).to.deep.equal({ value: { using: ['web-1'], waiting: ['web-2'] } });
    expect(await shown(answers)).to.include('1 that could not pull or start yet: web-2');
  });

  it('shows the latest events in the order of time, whatever a note tries', async () => {
    const note = 'bad\u001b[2J\nnews';
    const events = [
      event('2026-11-30T11:59:00Z', 'Warning', 'Later', note),
      event('2026-11-30T11:00:00Z', 'Normal', 'Sooner', 'ok'),
    ];
    const text = await shown(around(readyToken(), { [`GET ${PATHS.EVENTS}`]: listOf(...events) }));
    expect(text).to.match(/60m ago, Normal Sooner: ok\n {3}└─ 60s ago, Warning Later: bad \[2J news\n$/);
  });

  it('asks for the events of this very RegistryToken', async () => {
    const stage = new CliStage(around(readyToken()));
    await stage.run(['status', 'app-pull']);
    const call = stage.calls.find(({ path }) => path === PATHS.EVENTS);
    expect(call?.query?.['fieldSelector']).to.match(
      /^regarding\.kind=RegistryToken,regarding\.name=app-pull,regarding\.uid=./,
    );
  });

  it('of one without a token yet, and of an account that is not there, says so', async () => {
    const { [`GET ${ACCOUNTS}/default`]: _, ...answers } = around(readyToken());
    const bare = { ...readyToken(), status: { nextRetryTime: '2026-11-30T12:01:00Z' } };
    const text = await shown({ ...answers, [`GET ${TOKENS}/app-pull`]: bare });
    expect(text).to.include(
      'team-a/app-pull: not looked at yet, the operator has not seen its last change yet\n',
    );
    expect(text).to.include('├─ Token: none yet\n│  └─ next try 2026-11-30T12:01:00Z (in 60s)\n');
    expect(text).to.include('RegistryAccount default: does not exist');
  });

  it('without a name shows all of the namespace, reading what they share once', async () => {
    const answers = around(readyToken(), { [`GET ${TOKENS}`]: listOf(readyToken(), readyToken()) });
    const stage = new CliStage(answers);
    const { out } = await stage.run(['status']);
    expect(out.match(/^RegistryToken /gm)).to.have.lengthOf(2);
    expect(stage.calls.filter(({ path }) => path === PATHS.PODS)).to.have.lengthOf(1);
  });
});

describe('kubectl registrytoken why', () => {
  const why = async (part: Part<RegistryToken>, others: Answers = {}): Promise<string> => {
    const { exit, out } = await new CliStage(around(readyToken(part), others)).run(['why', 'app-pull']);
    expect(exit).to.equal(0);
    return out;
  };

  it('says that nothing is in the way where nothing is', async () => {
    expect(await why({})).to.equal('RegistryToken team-a/app-pull: nothing is in the way\n');
  });

  for (const reason of tokenReasons.filter((each) => !['Issued', 'GracePeriod'].includes(each)))
    it(`says of ${reason} what is the matter`, async () => {
      expect(await why(troubled(reason, 'as the operator says'))).to.match(
        new RegExp(`^${reason}: .+\\.\\n  Status: as the operator says\\n`, 'm'),
      );
    });

  it('says what the operator says, what to do, and when it tries again', async () => {
    const part = troubled('RegistryForbidden', '403 from IAM');
    const status = { ...part.status, nextRetryTime: '2026-11-30T12:05:00Z' };
    expect(await why({ status })).to.equal(`\
RegistryToken team-a/app-pull

RegistryForbidden: The account's credentials lack a permission.
  Status: 403 from IAM
  To do:  Give them the permission that the message names; the page of the registry lists what it needs. The next try is at 2026-11-30T12:05:00Z (in 5m).
`);
  });

  it('tells of an account in its own words', async () => {
    const account = accountOf('False', 'RegistryUnauthorized', 'the API key is refused');
    const text = await why(troubled('AccountNotReady', 'x'), { [`GET ${ACCOUNTS}/default`]: account });
    expect(text).to.include(
      'RegistryAccount default: It is not Ready: RegistryUnauthorized.\n  Status: the API key is refused\n',
    );
  });

  it('tells of a token that has expired, of an edited Secret, and of pods that wait', async () => {
    const { token } = readyToken().status ?? {};
    const expired = {
      token: { ...token, expiresAt: '2026-11-30T11:00:00Z' },
    } as Part<RegistryToken>['status'];
    const { metadata } = writtenSecret(readyToken());
    const text = await why(
      { status: expired },
      {
        [`GET ${SECRET}`]: { metadata, data: {} },
        [`GET ${PATHS.PODS}`]: listOf(pod('web-1', 'ErrImagePull')),
      },
    );
    expect(text).to.include('Token: It has expired 2026-11-30T11:00:00Z (60m ago)');
    expect(text).to.include('Secret app-pull: It does not hold what the operator wrote.');
    expect(text).to.include('1 pod has Secret app-pull and could not pull or start yet: web-1.');
  });

  it('tells that the operator has not looked yet', async () => {
    expect(await why({ metadata: { generation: 2 } })).to.match(
      /^Operator: The operator has not looked at its last change yet\.$/m,
    );
  });
});

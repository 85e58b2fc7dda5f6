import { expect } from 'chai';
import { TOKEN_ID_ANNOTATION } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { assertRevocable } from '../../../src/cli/commands/revoke.ts';
import {
  clusterIdOf,
  rowsOfStatuses,
  tokenRow,
  type Owners,
  type TokenState,
} from '../../../src/cli/registry-tokens/rows.ts';
import type { ListedToken } from '../../../src/registry/port.ts';
import { describe as tagged } from '../../../src/token/sweep/tag.ts';
import type { Part } from '../../support/builders.ts';
import { nock, useNock } from '../../support/nocked.ts';
import { CliStage, forbidden, listOf, type Answers } from './support/cli-stage.ts';
import { accountOf, ACCOUNTS, readyToken, writtenSecret } from './support/objects.ts';

const NOW = Date.UTC(2026, 10, 30, 12);
const token = readyToken();
const { uid } = token.metadata;
const account = accountOf('True', 'CredentialsAccepted', '');
const owners: Owners = { tokens: [token], retained: [], secrets: [], clusterId: 'c1' };

const listed = (
  id: string,
  of: { uid: string; clusterId?: string } | undefined,
  part: Partial<ListedToken> = {},
): ListedToken => ({
  id,
  description: of ? tagged('ours', { clusterId: 'c1', revision: 3, ...of }) : 'made by hand',
  expiresAt: null,
  revoked: false,
  ...part,
});

describe('whose a token of a registry is', () => {
  const leftSecret = writtenSecret(readyToken({ metadata: { name: 'app-pull', uid: 'gone' } }), 'token-8');
  for (const [state, row, other, owner] of [
    ['InUse', listed('token-3', { uid }), {}, 'team-a/app-pull'],
    ['Previous', listed('token-2', { uid }), {}, 'team-a/app-pull'],
    ['Unknown', listed('token-9', { uid }), {}, 'team-a/app-pull'],
    ['Orphan', listed('token-8', { uid: 'gone' }), {}, ''],
    ['InSecret', listed('token-8', { uid: 'gone' }), { secrets: [leftSecret] }, 'team-a/app-pull'],
    ['OtherCluster', listed('token-8', { uid: 'gone', clusterId: 'c2' }), {}, 'c2'],
    ['OtherCluster', listed('token-3', { uid: 'another', clusterId: 'c2' }), {}, 'c2'],
    ['OtherCluster', listed('token-8', { uid, clusterId: 'c2' }), {}, 'c2'],
    ['OtherCluster', listed('token-8', { uid: 'gone' }), { clusterId: undefined }, 'c1'],
    ['Unknown', listed('token-8', { uid }), { clusterId: undefined }, 'team-a/app-pull'],
    ['Foreign', listed('token-8', undefined), {}, ''],
    ['Expired', listed('token-8', { uid: 'gone' }, { expiresAt: NOW - 1 }), {}, ''],
    ['Expired', listed('token-8', { uid: 'gone' }, { revoked: true }), {}, ''],
  ] as const)
    it(`is ${state} for ${row.id} tagged ${row.description}${'secrets' in other ? ' that a Secret has' : ''}${'clusterId' in other ? ' in a cluster whose id is not known' : ''}`, () => {
      expect(tokenRow(row, 'us-south', { ...owners, ...other }, NOW)).to.include({ state, owner });
    });

  it('is Retained where the account keeps it', () => {
    const kept = {
      id: 'token-8',
      region: 'us-south',
      place: { endpoint: '', identity: '' },
      namespace: 'team-b',
      name: 'old',
    };
    const keeping = { ...account, status: { ...account.status, retainedTokens: [kept] } };
    expect(tokenRow(listed('token-8', { uid: 'gone' }), '', { ...owners, retained: [kept] }, NOW)).to.include(
      { state: 'Retained', owner: 'team-b/old' },
    );
    expect(rowsOfStatuses([token], keeping).map(({ id, state }) => [id, state])).to.deep.equal([
      ['token-3', 'InUse'],
      ['token-2', 'Previous'],
      ['token-8', 'Retained'],
    ]);
  });

  it('is InUse while it is being issued, and Orphan once its request was given up', () => {
    const request = { startedAt: '', account: 'default', region: '', place: { endpoint: '', identity: '' } };
    const asked = { ...request, specHash: '', revision: 4, nonce: 'aaaaaaaa' };
    const row = listed('token-9', undefined, {
      description: tagged('', { clusterId: 'c1', uid, revision: 4, nonce: 'aaaaaaaa' }),
    });
    for (const [status, state] of [
      [{ mintIntent: asked }, 'InUse'],
      [{ lostIntents: [asked] }, 'Orphan'],
      [{ mintIntent: { ...asked, nonce: 'bbbbbbbb' } }, 'Unknown'],
    ] as const) {
      const issuing = readyToken({ status: status as Part<RegistryToken>['status'] });
      expect(tokenRow(row, '', { ...owners, tokens: [issuing] }, NOW)).to.include({
        state,
        owner: 'team-a/app-pull',
      });
    }
  });

  it('goes by the cluster id that this cluster’s own tokens have, and otherwise by kube-system', () => {
    expect(clusterIdOf([listed('token-3', { uid, clusterId: 'set' })], [token], 'k')).to.equal('set');
    expect(clusterIdOf([listed('token-8', { uid: 'gone', clusterId: 'c2' })], [token], 'k')).to.equal('k');
  });
});

describe('kubectl registrytoken revoke', () => {
  const row = (state: TokenState, owner = '') => ({ id: 'x', region: '', state, owner, expiresAt: 'Never' });
  for (const state of ['Orphan', 'Expired'] as const)
    it(`revokes a token that is ${state}`, () => {
      expect(() => assertRevocable(row(state), { rows: [] })).to.not.throw();
    });

  for (const [state, owner, message] of [
    ['InUse', 'team-a/app-pull', 'token x is of RegistryToken team-a/app-pull'],
    ['Previous', 'team-a/app-pull', 'token x is of RegistryToken team-a/app-pull'],
    ['Retained', 'team-b/old', 'token x is kept: team-b/old has it'],
    ['InSecret', 'team-b/old', 'token x is kept: team-b/old has it'],
    ['Unknown', 'team-a/app-pull', 'token x may be in use in another cluster'],
    ['OtherCluster', 'c2', 'token x may be in use in another cluster, c2'],
    ['Foreign', '', 'token x was not issued by an operator'],
  ] as const)
    it(`refuses one that is ${state}`, () => {
      expect(() => assertRevocable(row(state, owner), { rows: [] })).to.throw(message);
    });

  it('refuses an orphan where Secrets that may have it can not be seen', () => {
    const usersUnseen = 'you may not list secrets';
    expect(() => assertRevocable(row('Orphan'), { rows: [], usersUnseen })).to.throw(
      'something may use token x: you may not list secrets',
    );
  });

  it('refuses an orphan of a RegistryToken that is gone while another cluster seems to work with this one’s id', () => {
    const rows = [{ ...row('Unknown'), id: 'y' }];
    expect(() => assertRevocable(row('Orphan'), { rows })).to.throw('nobody here knows of token y');
    expect(() => assertRevocable(row('Orphan', 'team-a/app-pull'), { rows })).to.not.throw();
  });

  describe('before a registry', () => {
    useNock();
    const CREDENTIALS = '/api/v1/namespaces/registry-token-operator/secrets/robot';
    const HARBOR = 'https://harbor.test';
    const robot = {
      id: 8,
      name: 'robot$x',
      description: tagged('', { clusterId: 'c1', uid: 'gone', revision: 1 }),
      level: 'system',
      expires_at: -1,
      disable: false,
      permissions: [],
    };
    const answers = (others: Answers): Answers => ({
      [`GET ${ACCOUNTS}/default`]: {
        ...account,
        spec: { harbor: { url: HARBOR }, credentialsSecretRef: { name: 'robot' } },
      },
      [`GET ${ACCOUNTS}`]: listOf(account),
      [`GET ${CREDENTIALS}`]: {
        data: {
          username: Buffer.from('admin').toString('base64'),
          password: Buffer.from('admin-pw').toString('base64'),
        },
      },
      'GET /apis/pullsecrets.dev/v1alpha1/registrytokens': listOf(),
      'GET /api/v1/namespaces/kube-system': { metadata: { name: 'kube-system', uid: 'c1' } },
      'GET /api/v1/secrets': listOf(),
      ...others,
    });
    beforeEach(() => {
      const api = nock(`${HARBOR}/api/v2.0`).persist();
      api.get('/projects').query(true).reply(200, []);
      api.get('/robots').query(true).reply(200, [robot], { 'X-Total-Count': '1' });
    });

    it('revokes no token of a RegistryToken that came while the registry was asked', async () => {
      let lists = 0;
      const late = readyToken({
        metadata: { uid: 'gone' },
        status: { token: { ...readyToken().status?.token, id: '8' } },
      });
      const tokens = {
        'GET /apis/pullsecrets.dev/v1alpha1/registrytokens': () => (lists++ === 0 ? listOf() : listOf(late)),
      };
      const { exit, err } = await new CliStage(answers(tokens)).run(['revoke', '8']);
      expect(exit).to.equal(1);
      expect(err).to.match(/^error: token 8 is of RegistryToken team-a\/app-pull\n/);
    });

    it('revokes no token that a Secret without the operator’s labels has', async () => {
      const copy = {
        metadata: { name: 'copy', namespace: 'team-c', annotations: { [TOKEN_ID_ANNOTATION]: '8' } },
      };
      const { exit, err } = await new CliStage(
        answers({
          'GET /api/v1/secrets': ({ query }) => (query?.['labelSelector'] ? listOf() : listOf(copy)),
        }),
      ).run(['revoke', '8']);
      expect({ exit, err }).to.deep.equal({
        exit: 1,
        err: 'error: token 8 is kept: team-c/copy has it\nto do: give --force if nothing pulls with it\n',
      });
    });
  });
});

describe('kubectl registrytoken tokens', () => {
  const CREDENTIALS = '/api/v1/namespaces/registry-token-operator/secrets/registry-credentials';
  const answers = {
    [`GET ${ACCOUNTS}/default`]: {
      ...account,
      spec: { ibmCloud: {}, credentialsSecretRef: { name: 'registry-credentials' } },
    },
    'GET /apis/pullsecrets.dev/v1alpha1/registrytokens': listOf(token),
    [`GET ${CREDENTIALS}`]: forbidden('get', CREDENTIALS, 'secrets', 'registry-token-operator'),
  };

  it('without the credentials shows what statuses say, and which right is missing', async () => {
    const { exit, out, err } = await new CliStage(answers).run(['tokens']);
    expect(exit).to.equal(0);
    expect(err).to.match(
      /^the registry is not asked, since you may not get secrets in namespace registry-token-operator; shown is /,
    );
    expect(out).to.match(
      /^ID .*\ntoken-3 +InUse +team-a\/app-pull +3 +2026-12-01T10:00:00Z +us-south\ntoken-2 +Previous /,
    );
  });

  it('fails for orphans without the credentials: nothing else tells of them', async () => {
    expect(await new CliStage(answers).run(['orphans'])).to.include({ exit: 1, out: '' });
  });

  it('fails for a registry that keeps no list', async () => {
    const ecr = { ...answers, [`GET ${ACCOUNTS}/default`]: { ...account, spec: { ecr: {} } } };
    const { exit, err } = await new CliStage(ecr).run(['tokens']);
    expect(exit).to.equal(1);
    expect(err).to.match(
      /^error: .* keeps no list of tokens, and none can be revoked: each ends by itself\n/,
    );
  });
});

import { expect } from 'chai';
import { parse } from 'yaml';
import { refusal } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { registerSecret } from '../../support/secrecy.ts';
import { CliStage, forbidden, listOf, type Answers } from './support/cli-stage.ts';

const PASSWORD = 'a-password-made-by-hand';
registerSecret(PASSWORD);
const SECRETS = 'GET /api/v1/secrets';
const TOKENS = 'GET /apis/pullsecrets.dev/v1alpha1/registrytokens';

const metaOf = (namespace: string, name: string, part: object = {}) => ({
  namespace,
  name,
  uid: `${namespace}-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-11-20T12:00:00Z',
  ...part,
});
const secretOf = (namespace: string, name: string, auths: object, part: object = {}) => ({
  metadata: metaOf(namespace, name, part),
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
});
/** Those of the type that is asked for. */
const secretsOf =
  (...items: { type: string }[]) =>
  ({ query }: Call): object =>
    listOf(...items.filter(({ type }) => query?.['fieldSelector'] === `type=${type}`));

const ENTRY = { username: 'iamapikey', password: PASSWORD };
const OURS = {
  'app.kubernetes.io/managed-by': 'registry-token-operator',
  'pullsecrets.dev/registrytoken-uid': 'token-1',
};

function cluster(part: Answers = {}): CliStage {
  return new CliStage({
    [SECRETS]: secretsOf(
      secretOf('team-a', 'all-icr-io', { 'us.icr.io': ENTRY, 'de.icr.io': ENTRY, 'uk.icr.io': ENTRY }),
      secretOf('team-b', 'all-icr-io', { 'us.icr.io': ENTRY }),
      secretOf(
        'team-a',
        'app-pull',
        { 'us.icr.io': { ...ENTRY, password: `${PASSWORD}-2` } },
        { labels: OURS },
      ),
      {
        metadata: metaOf('team-b', 'old'),
        type: 'kubernetes.io/dockercfg',
        data: { '.dockercfg': 'bm90IEpTT04=' },
      } as { type: string },
    ),
    [TOKENS]: listOf({ metadata: metaOf('team-a', 'app-pull', { uid: 'token-1' }), spec: {} }),
    'GET /api/v1/serviceaccounts': listOf({
      metadata: metaOf('team-a', 'default'),
      imagePullSecrets: [{ name: 'all-icr-io' }],
    }),
    'GET /api/v1/pods': listOf(
      ...['team-a', 'team-b'].map((namespace) => ({
        metadata: metaOf(namespace, 'web'),
        spec: { containers: [], imagePullSecrets: [{ name: 'all-icr-io' }] },
      })),
    ),
    ...part,
  });
}

describe('kubectl registrytoken report', () => {
  it('lists who keeps each pull secret and who uses it, with copies and what it comes to', async () => {
    const { exit, out, err } = await cluster().run(['report', '-A']);
    expect({ exit, err }).to.deep.equal({ exit: 0, err: '' });
    expect(out.split('\n').map((line) => line.replaceAll(/ {3,}/g, ' | '))).to.deep.equal([
      'NAMESPACE | NAME | KEPT BY | HOSTS | USER | AGE | EXPIRES | PODS | SERVICEACCOUNTS | COPIES',
      'team-a | all-icr-io | nobody | us.icr.io, de.icr.io and 1 more | iamapikey | 10d | unknown | 1 | default | 2 in 2 namespaces',
      'team-b | all-icr-io | nobody | us.icr.io | iamapikey | 10d | unknown | 1 | <none> | 2 in 2 namespaces',
      'team-b | old | nobody | <none> | <none> | 10d | unknown | 0 | <none> | <none>',
      'team-a | app-pull | registry-token-operator: RegistryToken app-pull | us.icr.io | iamapikey | 10d | unknown | 0 | <none> | <none>',
      '',
      'Nobody rotates 3 of 4 pull secrets.',
      '2 of these hold a credential that other Secrets hold too.',
      'No pod and no ServiceAccount names 2 of them.',
      'One credential of iamapikey at us.icr.io, de.icr.io and 1 more is in 2 Secrets of 2 namespaces: team-a/all-icr-io, team-b/all-icr-io.',
      '',
    ]);
  });

  it('tells of one namespace without -A', async () => {
    const stage = new CliStage({
      'GET /api/v1/namespaces/team-a/secrets': listOf(),
      'GET /api/v1/namespaces/team-a/serviceaccounts': listOf(),
      'GET /api/v1/namespaces/team-a/pods': listOf(),
    });
    expect(await stage.run(['report'])).to.deep.equal({
      exit: 0,
      out: '',
      err: 'No pull secrets found in namespace team-a.\n',
    });
    const pods = stage.calls.find(({ path }) => path.endsWith('/pods'));
    expect(pods?.query).to.include({ fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' });
  });

  it('says the same as JSON and YAML, which a program can read', async () => {
    const json = JSON.parse((await cluster().run(['report', '-A', '-o', 'json'])).out) as {
      kind: string;
      secrets: { namespace: string; rotated: boolean; usedBy: unknown; remarks: string[] }[];
    };
    expect(json.kind).to.equal('PullSecretReport');
    expect(json.secrets.map(({ rotated }) => rotated)).to.deep.equal([false, false, false, true]);
    expect(json.secrets[0]?.usedBy).to.deep.equal({ pods: 1, serviceAccounts: ['default'] });
    expect(json.secrets[2]?.remarks[0]).to.equal('holds no JSON in .dockercfg');
    const yaml = await cluster().run(['report', '-A', '-o', 'yaml']);
    expect(parse(yaml.out)).to.deep.equal(json);
  });

  it('is a document in Markdown', async () => {
    const { out } = await cluster().run(['report', '-A', '-o', 'markdown']);
    expect(out).to.match(/^# Pull secrets, 2026-11-30T12:00:00Z\n\n- Nobody rotates 3 of 4 pull secrets\.\n/);
    expect(out).to.include('\n| NAMESPACE | NAME | KEPT BY |');
    expect(out).to.include('\n## Copies\n\n- One credential of iamapikey');
  });

  it('leaves out what may not be listed, and says which right is missing', async () => {
    const { exit, out, err } = await cluster({
      'GET /api/v1/pods': forbidden('list', '/api/v1/pods', 'pods'),
      'GET /api/v1/serviceaccounts': forbidden('list', '/api/v1/serviceaccounts', 'serviceaccounts'),
    }).run(['report', '-A']);
    expect(exit).to.equal(0);
    expect(out).to.match(/unknown +unknown/);
    expect(err).to.equal(
      'you may not list serviceaccounts in the whole cluster: the report leaves them out\nyou may not list pods in the whole cluster: the report leaves them out\n',
    );
  });

  it('fails where Secrets may not be listed', async () => {
    const { exit, err } = await cluster({ [SECRETS]: forbidden('list', '/api/v1/secrets', 'secrets') }).run([
      'report',
      '-A',
    ]);
    expect(exit).to.equal(1);
    expect(err).to.match(/^error: you may not list secrets in the whole cluster/);
  });

  it('works in a cluster without RegistryTokens', async () => {
    const { out } = await cluster({ [TOKENS]: refusal({ method: 'GET', path: '/' }, 404, {}) }).run([
      'report',
      '-A',
    ]);
    expect(out).to.include('Nobody rotates 4 of 4 pull secrets.');
  });

  it('shows nothing that a terminal or Markdown would take for more than text', async () => {
    const evil = '\u001b[31m\u009b2J\u202e|<b>\n`*';
    const hostile = cluster({
      [SECRETS]: secretsOf(
        secretOf(
          'team-a',
          'x',
          { [evil]: { username: evil, password: PASSWORD } },
          { annotations: { 'meta.helm.sh/release-name': evil } },
        ),
      ),
    });
    for (const format of ['table', 'wide', 'markdown', 'json', 'yaml']) {
      const { exit, out } = await hostile.run(['report', '-A', '-o', format]);
      expect(exit).to.equal(0);
      // eslint-disable-next-line no-control-regex
      expect(out, format).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      if (format === 'json') expect(JSON.parse(out)).to.have.nested.property('secrets[0].users[0]', evil);
      if (format === 'yaml') expect(parse(out)).to.have.nested.property('secrets[0].users[0]', evil);
      if (format === 'markdown') expect(out).to.not.match(/<b>|[^\\]`|[^\\]\*/);
    }
  });

  it('counts a list anew that the API server forgot midway', async () => {
    const page = (at: number, more?: string) => ({
      ...secretOf('team-a', `s${at}`, { 'us.icr.io': ENTRY }),
      ...(more && { more }),
    });
    const stage = cluster({
      [SECRETS]: (call: Call) => {
        if (call.query?.['fieldSelector'] !== 'type=kubernetes.io/dockerconfigjson') return listOf();
        if (call.query['continue']) throw refusal(call, 410, { kind: 'Status', reason: 'Expired' });
        if (call.query['limit'] === undefined) return listOf(page(1), page(2), page(3));
        return { metadata: { resourceVersion: '1', continue: 'next' }, items: [page(1)] };
      },
    });
    const { out } = await stage.run(['report', '-A', '-o', 'json']);
    expect(JSON.parse(out)).to.have.nested.property('summary.secrets', 3);
  });
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { missingPrograms } from '../../sandbox/programs.ts';
import { Harbor } from '../../sandbox/registries/harbor/harbor.ts';
import { IamState } from '../../sandbox/registries/ibm-cloud/iam-state.ts';
import { IbmCloud } from '../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import type { FakeRegistry } from '../../sandbox/registries/shared/fake-registry.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { Redacted } from '../../src/common/redacted.ts';
import type { Connection, IssueRequest, Places } from '../../src/registry/port.ts';
import { HARBOR } from '../../src/registry/harbor/harbor.ts';
import { HttpClient } from '../../src/registry/http/http-client.ts';
import { IBM_CLOUD } from '../../src/registry/ibm-cloud/ibm-cloud.ts';
import { IBM_REGISTRY_TOKENS } from '../../src/registry/ibm-registry-tokens/ibm-registry-tokens.ts';
import { blocksOf } from '../support/pages.ts';
import { registerSecret } from '../support/secrecy.ts';
import { aToolbox } from '../support/toolbox.ts';
import { aRequest, UID } from './support/stage.ts';

const run = promisify(execFile);
const ACCOUNT = '0123456789abcdef0123456789abcdef';
const SECRET = 'what-the-operator-logs-in-with';
const { signal } = new AbortController();
registerSecret(SECRET);

/** What stands in for programs that ask a cluster, or IBM Cloud as a person. */
const PROGRAMS = `
kubectl() { case "$*" in *metadata.uid*) echo ${UID};; *identity*) echo ${ACCOUNT};; *) exit 1;; esac; }
ibmcloud() { echo "{\\"iam_token\\": \\"Bearer $ACCESS_TOKEN\\"}"; }
`;

/** The commands by which a page finds at the registry what was issued for a RegistryToken. */
async function lookup(page: string, replacements: Record<string, string>): Promise<string> {
  const blocks = await blocksOf(`registries/${page}`);
  const { text: commands } =
    blocks.find(({ text }) => text.startsWith('UID_OF_TOKEN=')) ?? expect.fail(`${page} has no commands`);
  return Object.entries(replacements).reduce((script, [documented, here]) => {
    expect(script, page).to.include(documented);
    return script.replaceAll(documented, here);
  }, `set -euo pipefail\n${PROGRAMS}\n${commands}`);
}

async function accessToken(url: string): Promise<string> {
  const grant = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: SECRET };
  const answer = await fetch(`${url}/identity/token`, { method: 'POST', body: new URLSearchParams(grant) });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  registerSecret(token);
  return token;
}

describe('commands that find at the registry what was issued for a RegistryToken', () => {
  let server: Server | undefined;
  before(async function () {
    const missing = await missingPrograms('curl', 'jq');
    if (missing.length === 0) return;
    process.stdout.write(`    skipped: ${missing.join(' and ')} not on the PATH\n`);
    this.skip();
  });
  afterEach(() => server?.close());

  /** Issues one token for this RegistryToken and one for another. @returns the id of the first */
  async function issue(connection: Connection, places: Places, scope: string[]): Promise<string> {
    const place = places.resolve(undefined) ?? expect.fail('it has no place');
    const registry = connection.registry(place);
    const requests: Partial<IssueRequest & { uid: string }>[] = [
      { scope },
      { scope, uid: `${UID.slice(0, -1)}2` },
    ];
    const [own, other] = await Promise.all(
      requests.map(async (part) => {
        const issued = await registry.issue(aRequest(part), signal);
        registerSecret(issued.value.reveal());
        return issued.id;
      }),
    );
    expect(own).to.not.equal(other);
    return own ?? '';
  }
  const start = async (fake: FakeRegistry): Promise<string> => (server = await serve(fake, { port: 0 })).url;
  const toolbox = () =>
    aToolbox({ clock, sender: new HttpClient({ clock, userAgent: 'test', timeout: 5_000 }) });
  const said = async (script: string, env: Record<string, string> = {}): Promise<string> =>
    (await run('bash', ['-c', script], { env: { ...process.env, ...env } })).stdout;

  it('docs/registries/ibm-cloud.md: the API key and its policy', async () => {
    const fake = new IbmCloud({ clock, state: new IamState(ACCOUNT), region: 'us-south' });
    fake.addAdministrator(SECRET);
    const iamEndpoint = await start(fake);
    const credentials = { apiKey: new Redacted(SECRET) };
    const block = { iamEndpoint };
    const places = IBM_CLOUD.places(block, [{ name: 'us-south', host: 'us.icr.io' }]);
    const id = await issue(IBM_CLOUD.connect({ name: 'default', block, credentials }, toolbox()), places, [
      'team-a',
    ]);
    const script = await lookup('ibm-cloud.md', { 'https://iam.cloud.ibm.com': iamEndpoint });
    const found = await said(script, { ACCESS_TOKEN: await accessToken(iamEndpoint) });
    expect(found).to.include(id).and.to.include('"team-a"');
    expect(found.match(/ApiKey-/g)).to.have.length(1);
  });

  it('docs/registries/harbor.md: robots of a project and of the system', async () => {
    const user = { username: 'operator', password: SECRET, administrator: true, projects: [] };
    const url = await start(new Harbor({ clock, projects: ['team-a', 'team-b'], users: [user] }));
    const credentials = { username: 'operator', password: new Redacted(SECRET) };
    const connection = HARBOR.connect({ name: 'default', block: { url }, credentials }, toolbox());
    const script = await lookup('harbor.md', {
      'https://harbor.example.com': url,
      '--user admin': `--user operator:${SECRET}`,
    });
    for (const scope of [['team-a'], []]) {
      const id = await issue(connection, HARBOR.places({ url }, []), scope);
      expect(await said(script)).to.match(new RegExp(`"id": ${id}\\b`));
    }
    expect((await said(script)).match(/"id": /g)).to.have.length(2);
  });

  it('docs/registries/ibm-registry-tokens.md: the token, without its value', async () => {
    const url = await start(new TokenService({ clock, apiKeys: [{ key: SECRET, accountId: ACCOUNT }] }));
    const block = { iamEndpoint: url };
    const places = IBM_REGISTRY_TOKENS.places(block, [
      { name: 'us-south', host: 'registry.test', endpoint: url },
    ]);
    const credentials = { apiKey: new Redacted(SECRET) };
    const connection = IBM_REGISTRY_TOKENS.connect({ name: 'default', block, credentials }, toolbox());
    const id = await issue(connection, places, []);
    const script = await lookup('ibm-registry-tokens.md', { 'https://api.registry.example.com': url });
    const found = JSON.parse(await said(script, { ACCESS_TOKEN: await accessToken(url) })) as object;
    expect(found).to.have.keys('_id', 'expiry', 'readonly', 'revoked').and.to.include({ _id: id });
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startDockerRegistry, type DockerRegistry } from '../../sandbox/docker-registry.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { writeImage } from './oci-layout.ts';
import { Skopeo, UNAUTHORIZED, type Failure } from './skopeo.ts';

const API_KEY = 'ours';
const ACCOUNT = 'a'.repeat(32);
/** Of the tokens that expire. */
const LIFETIME = 5_000;

describe('a registry of CNCF Distribution, with the token service', () => {
  let folder: string;
  let service: TokenService;
  let tokenServer: Server;
  let registry: DockerRegistry;
  let skopeo: Skopeo;
  const tokens = { readOnly: '', readWrite: '' };

  before(async function () {
    const missing = await missingPrograms('docker-registry', 'skopeo');
    if (missing.length > 0) {
      process.stdout.write(`    skipped: ${missing.join(' and ')} not on the PATH\n`);
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'registry-'));
    service = new TokenService({
      clock: systemClock,
      apiKeys: [{ key: API_KEY, accountId: ACCOUNT }],
      tokenLifetime: LIFETIME,
    });
    tokenServer = await serve(service, { port: 0 });
    registry = await startDockerRegistry({ folder, authority: service, authorityUrl: tokenServer.url });
    await writeImage(join(folder, 'image'));
    skopeo = new Skopeo(folder, join(folder, 'image'));
    tokens.readOnly = await mint('?permanent=true');
    tokens.readWrite = await mint('?permanent=true&write=true');
    expect(await push(tokens.readWrite)).to.equal(undefined);
    expect(await pull(tokens.readOnly)).to.equal(undefined);
  });

  after(async () => {
    await registry?.stop();
    await tokenServer?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  async function signIn(): Promise<Record<string, string>> {
    const body = new URLSearchParams({
      grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
      apikey: API_KEY,
    });
    const response = await fetch(`${tokenServer.url}/identity/token`, { method: 'POST', body });
    const { access_token: accessToken } = (await response.json()) as Record<string, string>;
    return { Authorization: `Bearer ${accessToken}`, Account: ACCOUNT };
  }

  async function mint(query: string): Promise<string> {
    const headers = await signIn();
    const response = await fetch(`${tokenServer.url}/api/v1/tokens${query}`, { method: 'POST', headers });
    return ((await response.json()) as { token: string }).token;
  }

  /** A bearer token by the password grant, and when it ends as clients reckon. */
  async function logIn(password: string): Promise<{ bearer: string; end: number }> {
    const body = new URLSearchParams({
      grant_type: 'password',
      service: 'registry',
      client_id: 'containerd-client',
      scope: 'repository:ours/app:pull',
      username: 'token',
      password,
    });
    const response = await fetch(`${tokenServer.url}/oauth/token`, { method: 'POST', body });
    const answer = (await response.json()) as Record<string, string>;
    const end = Date.parse(answer['issued_at'] ?? '') + Number(answer['expires_in']) * 1000;
    return { bearer: answer['access_token'] ?? '', end };
  }

  async function statusOfManifest(bearer: string): Promise<number> {
    const { status } = await fetch(`http://${registry.host}/v2/ours/app/manifests/1`, {
      headers: { Authorization: `Bearer ${bearer}`, Accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    return status;
  }

  function dockerConfig(value: string | undefined): string {
    const auth = Buffer.from(`token:${value}`).toString('base64');
    const entry = { username: 'token', password: value, auth };
    return JSON.stringify({ auths: value === undefined ? {} : { [registry.host]: entry } });
  }

  function push(value: string | undefined): Promise<Failure> {
    return skopeo.push(dockerConfig(value), `${registry.host}/ours/app:1`);
  }

  function pull(value: string | undefined): Promise<Failure> {
    return skopeo.pull(dockerConfig(value), `${registry.host}/ours/app:1`);
  }

  it('refuses a wrong token, an expired one, and none', async () => {
    service.faults.add({ operation: 'mint', kind: 'expired', times: 1 });
    for (const value of ['wrong', await mint('?write=true'), undefined]) {
      expect(await push(value)).to.match(UNAUTHORIZED);
      expect(await pull(value)).to.match(UNAUTHORIZED);
    }
  });

  it('believes a bearer token of the password grant, with which containerd begins', async () => {
    const challenge = await fetch(`http://${registry.host}/v2/`);
    expect([challenge.status, challenge.headers.get('www-authenticate')]).to.deep.equal([
      401,
      `Bearer realm="${tokenServer.url}/oauth/token",service="registry"`,
    ]);
    const { bearer } = await logIn(tokens.readOnly);
    expect(await statusOfManifest(bearer)).to.equal(200);
  });

  it('believes no bearer token for longer than the registry token lives that it was given for', async () => {
    const { bearer, end } = await logIn(await mint(''));
    expect(end - systemClock.now()).to.be.within(0, LIFETIME);
    expect(await statusOfManifest(bearer)).to.equal(200);
    await sleep(systemClock, end + 1_000 - systemClock.now());
    expect(await statusOfManifest(bearer)).to.equal(401);
  });

  it('refuses a token as soon as it is revoked', async () => {
    const token = service.tokens().find(({ access }) => access === 'ReadOnly');
    const headers = await signIn();
    const response = await fetch(`${tokenServer.url}/api/v1/tokens/${token?.id}`, {
      method: 'DELETE',
      headers,
    });
    expect(response.status).to.equal(200);
    expect(await pull(tokens.readOnly)).to.match(UNAUTHORIZED);
    expect(await pull(tokens.readWrite)).to.equal(undefined);
  });
});

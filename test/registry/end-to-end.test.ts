import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startDockerRegistry, type DockerRegistry } from '../../sandbox/docker-registry.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { REGISTRIES } from '../../sandbox/registries/registries.ts';
import type { PreparedRegistry } from '../../sandbox/registries/registry-kind.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import { registerSecret } from '../support/secrecy.ts';
import { World } from '../support/world.ts';
import { writeImage } from './oci-layout.ts';
import { startFront, type Mood, type RegistryFront } from './registry-front.ts';
import { DENIED, Skopeo, UNAUTHORIZED } from './skopeo.ts';

const ROTATE = 'pullsecrets.dev/rotate';
const API_KEY = 'an-api-key-that-nobody-may-see';
const OTHER_KEY = 'the-api-key-of-somebody-else';
registerSecret(OTHER_KEY);
/** Of tokens that expire: short enough to see several generations of them. Milliseconds. */
const LIFETIME = 6_000;

const registryTokens = (): PreparedRegistry => ({
  ...REGISTRIES['ibm-registry-tokens'].prepare(clock),
  fake: new TokenService({
    clock,
    apiKeys: [
      { key: API_KEY, accountId: 'account-1' },
      { key: OTHER_KEY, accountId: 'account-2' },
    ],
    namespaces: { 'account-1': ['ours'], 'account-2': ['theirs'] },
    tokenLifetime: LIFETIME,
  }),
  credentials: { apikey: API_KEY },
});

describe('a registry and its client with what the operator wrote', () => {
  let folder: string;
  let world: World;
  let registry: DockerRegistry;
  let front: RegistryFront;
  let skopeo: Skopeo;
  let namespace: string;

  before(async function () {
    this.timeout(60_000);
    const missing = await missingPrograms('docker-registry', 'skopeo');
    if (missing.length > 0) {
      process.stdout.write(`    skipped: ${missing.join(' and ')} not on the PATH\n`);
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'end-to-end-'));
    world = await World.start({ prepared: registryTokens() });
    registry = await startRegistry();
    front = await startFront(registry.host);
    await world.setCredentials('other', { apikey: OTHER_KEY });
    await createAccount('ours', registry.host);
    await createAccount('fronted', front.host);
    await createAccount('theirs', registry.host, { credentialsSecretRef: { name: 'other' } });
    world.startOperator({ mintBudget: 0, revocationDeadline: 15_000 });
    namespace = await world.createNamespace();
    const image = join(folder, 'image');
    await writeImage(image);
    skopeo = new Skopeo(folder, image);
  });

  after(async () => {
    await world?.close();
    await front?.close();
    await registry?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  const startRegistry = (port = 0): Promise<DockerRegistry> =>
    startDockerRegistry({ folder, port, authority: world.registry, authorityUrl: world.registryUrl });

  const createAccount = (name: string, host: string, spec = {}): Promise<void> => {
    const regions = [{ name: 'us-south', host, endpoint: world.registryUrl }];
    return world.createAccount(name, { verify: 'Always', regions, ...spec });
  };

  /** A RegistryToken that is Ready, its tokens without end unless the spec says otherwise. */
  async function issue(account: string, spec: RegistryTokenSpec = {}): Promise<ObjectName> {
    const all = { accountRef: { name: account }, lifetime: 'Never', ...spec };
    const name = await world.createToken(namespace, all);
    const { status } = await world.whenReady(name);
    expect(status?.token).to.not.have.property('unverified');
    return name;
  }

  /** What the Secret holds, unchanged. */
  async function dockerConfig(name: ObjectName): Promise<string> {
    const { data } = await world.secret(name);
    return Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
  }

  /** Asks for a rotation, and waits until the Secret has another token. */
  async function rotate(name: ObjectName, value = 'now'): Promise<RegistryToken> {
    await world.patchToken(name, { metadata: { annotations: { [ROTATE]: value } } });
    return world.eventually(`${name.name} is rotated`, async () => {
      const token = await world.token(name);
      return token.status?.lastHandledRotate === value
        ? { value: token }
        : { seen: JSON.stringify(token.status) };
    });
  }

  const app = (repository = 'ours/app', host = registry.host): string => `${host}/${repository}:1`;

  it('read-write: pushes and pulls; read-only: pulls, and does not push', async () => {
    const writer = await dockerConfig(await issue('ours', { access: 'ReadWrite' }));
    const reader = await dockerConfig(await issue('ours'));
    expect(await skopeo.push(writer, app())).to.equal(undefined);
    expect(await skopeo.pull(writer, app())).to.equal(undefined);
    expect(await skopeo.pull(reader, app())).to.equal(undefined);
    expect(await skopeo.push(reader, app())).to.match(DENIED);
  });

  it("does not open another account's namespace", async () => {
    const theirs = await dockerConfig(await issue('theirs', { access: 'ReadWrite' }));
    const ours = await dockerConfig(await issue('ours', { access: 'ReadWrite' }));
    expect(await skopeo.push(theirs, app('theirs/app'))).to.equal(undefined);
    expect(await skopeo.pull(ours, app('theirs/app'))).to.match(DENIED);
    expect(await skopeo.pull(theirs, app())).to.match(DENIED);
  });

  it('nothing opens without a credential', async () => {
    expect(await skopeo.pull('{"auths":{}}', app())).to.match(UNAUTHORIZED);
  });

  it('no pull fails through 20 rotations on request, and several on schedule', async function () {
    this.timeout(60_000);
    const rotation = { gracePeriod: '2s' };
    const requested = await issue('ours', { lifetime: '24h', rotation });
    const scheduled = await issue('ours', { lifetime: '24h', rotation });
    const failures: string[] = [];
    let pulls = 0;
    const stop = new AbortController();
    const pullOn = async (name: ObjectName): Promise<void> => {
      while (!stop.signal.aborted) {
        const failure = await skopeo.pull(await dockerConfig(name), app());
        if (failure !== undefined) failures.push(failure);
        pulls++;
      }
    };
    const pulling = Promise.all([requested, scheduled].map(pullOn));
    for (let time = 1; time <= 20; time++) {
      await rotate(requested, String(time));
      await sleep(clock, 300);
    }
    const revision = async (name: ObjectName): Promise<number> =>
      (await world.token(name)).status?.token?.revision ?? 0;
    await world.eventually(
      'three rotations on schedule',
      async () => {
        const seen = await revision(scheduled);
        return seen > 3 ? { value: seen } : { seen: String(seen) };
      },
      30_000,
    );
    stop.abort();
    await pulling;
    expect(failures).to.deep.equal([]);
    expect(await revision(requested)).to.be.at.least(21);
    expect(pulls, 'how many is the machine’s').to.be.at.least(20);
  });

  it('after a rotation the predecessor works through its grace, and then no more', async () => {
    const name = await issue('ours', { rotation: { gracePeriod: '3s' } });
    const old = await dockerConfig(name);
    const { status } = await rotate(name);
    expect(await dockerConfig(name)).to.not.equal(old);
    expect(await skopeo.pull(old, app())).to.equal(undefined);
    const end = Date.parse(status?.previousTokens?.[0]?.revokeAt ?? '');
    await sleep(clock, end - clock.now() + 500);
    expect(await skopeo.pull(old, app())).to.match(UNAUTHORIZED);
    expect(await skopeo.pull(await dockerConfig(name), app())).to.equal(undefined);
  });

  it('after an emergency rotation the leaked credential is refused within a second', async () => {
    const name = await issue('ours');
    const leaked = await dockerConfig(name);
    const begun = clock.monotonic();
    await world.patchToken(name, {
      metadata: { annotations: { [ROTATE]: 'leaked' } },
      spec: { rotation: { gracePeriod: '0s' } },
    });
    let failure: string | undefined;
    while (failure === undefined && clock.monotonic() - begun < 5_000)
      failure = await skopeo.pull(leaked, app());
    expect(failure).to.match(UNAUTHORIZED);
    expect(clock.monotonic() - begun).to.be.below(1_000);
    expect(await skopeo.pull(await dockerConfig(name), app())).to.equal(undefined);
  });

  it('after the RegistryToken is deleted its credential is refused at once', async () => {
    const name = await issue('ours');
    const old = await dockerConfig(name);
    await world.deleteToken(name);
    await world.whenGone(name);
    expect(await skopeo.pull(old, app())).to.match(UNAUTHORIZED);
  });

  it('a registry that is down holds no rotation up; once it is back, the Secret is good', async () => {
    const name = await issue('ours');
    await registry.stop();
    const { status } = await rotate(name);
    expect(status?.token?.unverified).to.match(/ECONNREFUSED/);
    registry = await startRegistry(Number(registry.host.split(':')[1]));
    expect(await skopeo.pull(await dockerConfig(name), app())).to.equal(undefined);
    expect((await rotate(name, 'again')).status?.token).to.not.have.property('unverified');
  });

  const moods: [mood: Mood, message: RegExp][] = [
    ['slow', /in time/],
    ['html', /502 in HTML/],
    ['without a realm', /names no token endpoint/],
    ['without a service', /token endpoint .* answered 400/],
  ];
  for (const [mood, message] of moods) {
    it(`nor does one that is ${mood}`, async () => {
      const name = await issue('fronted');
      front.mood = mood;
      const { status } = await rotate(name).finally(() => (front.mood = 'well'));
      expect(status?.token?.unverified).to.match(message);
      expect(await world.eventReasons(name)).to.include('Rotated');
      expect(await skopeo.pull(await dockerConfig(name), app('ours/app', front.host))).to.equal(undefined);
    });
  }
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startDockerRegistry, type DockerRegistry } from '../../sandbox/docker-registry.ts';
import { missingPrograms } from '../../sandbox/programs.ts';
import { REGISTRIES, REGISTRY_NAMES, type RegistryName } from '../../sandbox/registries/registries.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { installAccount } from '../../sandbox/setup.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import { registerSecret } from '../support/secrecy.ts';
import { OPERATOR_NAMESPACE, World } from '../support/world.ts';
import { writeImage } from './oci-layout.ts';
import { DENIED, Skopeo, UNAUTHORIZED } from './skopeo.ts';

const ACCOUNT = 'of-the-registry';
/** What a deletion leaves behind, the sweep finds by lists: IBM Cloud's lag, and are believed a minute later. Milliseconds. */
const SWEPT = 150_000;
/** What skopeo says to a credential that was revoked; undefined where none can be. */
const REFUSED: Record<RegistryName, RegExp | undefined> = {
  // IBM's registry says 400 to a pair that it does not know.
  'ibm-cloud': /invalid status code from registry 400/,
  // Harbor gives bad credentials a bearer token that opens nothing.
  harbor: DENIED,
  ecr: undefined,
  'ibm-registry-tokens': UNAUTHORIZED,
};

for (const registryName of REGISTRY_NAMES) describeRegistry(registryName);

function describeRegistry(registryName: RegistryName): void {
  const { title, prepare } = REGISTRIES[registryName];
  const prepared = prepare(clock);
  const [one, two] = prepared.scopes;
  const refused = REFUSED[registryName];

  describe(`images of a registry with tokens of ${title}`, () => {
    let folder: string;
    let world: World;
    let server: Server;
    let registry: DockerRegistry;
    let skopeo: Skopeo;
    let namespace: string;

    before(async function () {
      this.timeout(60_000);
      const missing = await missingPrograms('docker-registry', 'skopeo');
      if (missing.length > 0) {
        process.stdout.write(`    skipped: ${missing.join(' and ')} not on the PATH\n`);
        this.skip();
      }
      folder = await mkdtemp(join(tmpdir(), 'scopes-'));
      world = await World.start();
      for (const [key, value] of Object.entries(prepared.credentials))
        if (!/^(username|accessKeyId)$/.test(key)) registerSecret(value);
      server = await serve(prepared.fake, { port: 0 });
      registry = await startDockerRegistry({ folder, authority: prepared.fake, authorityUrl: server.url });
      const account = { name: ACCOUNT, namespace: OPERATOR_NAMESPACE, registry: prepared };
      const where = { url: server.url, host: registry.host, spec: { requestsPerSecond: 1000 } };
      await installAccount(world.client, { ...account, ...where }, new AbortController().signal);
      world.startOperator({ mintBudget: 0, sweep: 'revoke' });
      namespace = await world.createNamespace();
      const image = join(folder, 'image');
      await writeImage(image);
      skopeo = new Skopeo(folder, image);
    });

    after(async () => {
      for (const value of prepared.fake.values()) registerSecret(value);
      await world?.close();
      await server?.close();
      await registry?.stop();
      if (folder) await rm(folder, { recursive: true });
    });

    /** A RegistryToken whose token the registry has accepted. */
    async function issue(spec: RegistryTokenSpec): Promise<ObjectName> {
      const name = await world.createToken(namespace, { accountRef: { name: ACCOUNT }, ...spec });
      const { status } = await world.whenReady(name);
      expect(status?.token).to.not.have.property('unverified');
      return name;
    }

    /** What the Secret holds, unchanged. */
    async function dockerConfig(name: ObjectName): Promise<string> {
      const { data } = await world.secret(name);
      return Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    }

    async function whenGone(name: ObjectName): Promise<void> {
      await world.eventually(`${name.name} is gone`, async () =>
        (await world.exists(world.token(name))) ? { seen: 'still there' } : { value: true },
      );
    }

    /** A scope of one name, where there are scopes, and an image that it opens. */
    const firstScope = (): { scope: string[]; mine: string } => ({
      scope: one ? [one.name] : [],
      mine: image(one?.repository ?? 'team/app'),
    });
    const image = (repository: string): string => `${registry.host}/${repository}:1`;

    it('ReadWrite pushes and pulls; ReadOnly pulls, and does not push', async () => {
      const { scope, mine } = firstScope();
      const writer = await dockerConfig(await issue({ access: 'ReadWrite', scope }));
      const reader = await dockerConfig(await issue({ access: 'ReadOnly', scope }));
      expect(await skopeo.push(writer, mine)).to.equal(undefined);
      expect(await skopeo.pull(writer, mine)).to.equal(undefined);
      expect(await skopeo.pull(reader, mine)).to.equal(undefined);
      expect(await skopeo.push(reader, mine)).to.match(DENIED);
    });

    if (one && two) {
      it('a token opens its scope, of one name or of two, and nothing else', async () => {
        const [inOne, inTwo] = [image(one.repository), image(two.repository)];
        const first = await dockerConfig(await issue({ access: 'ReadWrite', scope: [one.name] }));
        const second = await dockerConfig(await issue({ access: 'ReadWrite', scope: [two.name] }));
        const both = await dockerConfig(await issue({ access: 'ReadOnly', scope: [one.name, two.name] }));
        const all = await dockerConfig(await issue({ access: 'ReadOnly' }));
        expect(await skopeo.push(first, inOne)).to.equal(undefined);
        expect(await skopeo.push(second, inTwo)).to.equal(undefined);
        expect(await skopeo.pull(first, inTwo)).to.match(DENIED);
        expect(await skopeo.push(first, inTwo)).to.match(DENIED);
        expect(await skopeo.pull(second, inOne)).to.match(DENIED);
        for (const config of [both, all])
          for (const each of [inOne, inTwo]) expect(await skopeo.pull(config, each)).to.equal(undefined);
      });

      it('a change of the scope opens the new one and no longer the old one', async () => {
        const [inOne, inTwo] = [image(one.repository), image(two.repository)];
        const name = await issue({ access: 'ReadWrite', scope: [one.name], rotation: { gracePeriod: '0s' } });
        const old = await dockerConfig(name);
        expect(await skopeo.push(old, inOne)).to.equal(undefined);
        await world.patchToken(name, { spec: { scope: [two.name] } });
        await world.eventually('the previous token is gone', async () => {
          const { status } = await world.whenReady(name);
          const done = status?.token?.scope?.join() === two.name && !status.previousTokens?.length;
          return done ? { value: true } : { seen: JSON.stringify(status) };
        });
        const config = await dockerConfig(name);
        expect(await skopeo.push(config, inTwo)).to.equal(undefined);
        expect(await skopeo.pull(config, inOne)).to.match(DENIED);
        await expectRevoked(old, inOne);
      });
    }

    if (refused) {
      it('after a rotation the previous token works through its grace period, and then no more', async () => {
        const { scope, mine } = firstScope();
        const name = await issue({ access: 'ReadWrite', scope, rotation: { gracePeriod: '3s' } });
        const old = await dockerConfig(name);
        expect(await skopeo.push(old, mine)).to.equal(undefined);
        await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
        await world.eventually('it is rotated', async () => {
          const token = await world.token(name);
          const done = token.status?.lastHandledRotate === 'now';
          return done ? { value: token } : { seen: JSON.stringify(token.status) };
        });
        expect(await dockerConfig(name)).to.not.equal(old);
        expect(await skopeo.pull(old, mine)).to.equal(undefined);
        await world.eventually('the previous token is gone', async () => {
          const { status } = await world.token(name);
          return status?.previousTokens?.length ? { seen: JSON.stringify(status) } : { value: true };
        });
        await expectRevoked(old, mine);
        expect(await skopeo.pull(await dockerConfig(name), mine)).to.equal(undefined);
      });
    }

    it('after the last RegistryToken is deleted its token opens nothing, and nothing is left at the registry', async () => {
      const { scope, mine } = firstScope();
      const name = await issue({ access: 'ReadWrite', scope });
      const old = await dockerConfig(name);
      expect(await skopeo.push(old, mine)).to.equal(undefined);
      const tokens = await world.client.listAll<RegistryToken>(REGISTRY_TOKENS);
      const all = tokens.map(({ metadata }) => ({ namespace, name: metadata.name }));
      for (const each of all) await world.deleteToken(each);
      for (const each of all) await whenGone(each);
      await world.eventually(
        'nothing is left',
        async () => {
          const left = prepared.fake.left();
          return left.length === 0 ? { value: true } : { seen: left.join() };
        },
        SWEPT,
      );
      await expectRevoked(old, mine);
    }).timeout(SWEPT + 60_000);

    /** A token that can't be revoked opens what it did until it expires. */
    async function expectRevoked(config: string, reference: string): Promise<void> {
      const failure = await skopeo.pull(config, reference);
      if (refused) expect(failure).to.match(refused);
      else expect(failure).to.equal(undefined);
    }
  });
}

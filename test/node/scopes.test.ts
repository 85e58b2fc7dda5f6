import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startDockerRegistry, type DockerRegistry } from '../../sandbox/docker-registry.ts';
import type { PreparedRegistry } from '../../sandbox/registries/registry-kind.ts';
import { REGISTRIES, REGISTRY_NAMES, type RegistryName } from '../../sandbox/registries/registries.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { installAccount } from '../../sandbox/setup.ts';
import { ROTATE_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import { startNode } from '../support/node.ts';
import { registerSecret } from '../support/secrecy.ts';
import { OPERATOR_NAMESPACE, World } from '../support/world.ts';
import { busyboxImage, CLUSTER_SCRIPT, PullingPods, whyNoNode } from './support/pulling-pods.ts';

const run = promisify(execFile);
/** What a deletion leaves behind, the sweep finds by lists: IBM Cloud's lag, and are believed a minute later. Milliseconds. */
const SWEPT = 150_000;

describe('pods pull what the scope of a RegistryToken names, and nothing else', function () {
  this.timeout(300_000);
  let world: World | undefined;
  let folder: string;
  let image: string;

  before(async function () {
    const reason = await whyNoNode();
    if (reason !== undefined) {
      process.stdout.write(`    skipped: ${reason}\n`);
      this.skip();
    }
    const { apiServer } = await startNode(CLUSTER_SCRIPT!);
    world = await World.start({ running: apiServer });
    folder = await mkdtemp(join(tmpdir(), 'scopes-'));
    image = await busyboxImage(folder);
    world.startOperator({ sweep: 'revoke' });
  });
  after(async () => {
    if (!world) return;
    await world.close();
    await rm(folder, { recursive: true });
  });

  for (const name of REGISTRY_NAMES.filter((each) => each !== 'ibm-registry-tokens')) describeRegistry(name);

  function describeRegistry(registryName: RegistryName): void {
    describe(REGISTRIES[registryName].title, () => {
      let prepared: PreparedRegistry;
      let server: Server;
      let registry: DockerRegistry;
      let namespace: string;
      let pods: PullingPods;

      before(async () => {
        prepared = REGISTRIES[registryName].prepare(clock);
        for (const [key, value] of Object.entries(prepared.credentials))
          if (!/^(username|accessKeyId)$/.test(key)) registerSecret(value);
        server = await serve(prepared.fake, { port: 0 });
        const home = join(folder, registryName);
        await mkdir(home);
        registry = await startDockerRegistry({
          folder: home,
          authority: prepared.fake,
          authorityUrl: server.url,
        });
        const account = { name: registryName, namespace: OPERATOR_NAMESPACE, registry: prepared };
        const where = { url: server.url, host: registry.host, spec: { requestsPerSecond: 1000 } };
        await installAccount(world!.client, { ...account, ...where }, new AbortController().signal);
        namespace = await world!.createNamespace();
        pods = await PullingPods.inNamespace(world!, namespace);
        const scope = prepared.scopes.map(({ name }) => name);
        const writer = await issue('writer', { access: 'ReadWrite', scope });
        for (const { repository } of prepared.scopes) await push(writer, repository);
      });
      after(async () => {
        for (const value of prepared.fake.values()) registerSecret(value);
        await server.close();
        await registry.stop();
      });

      const imageIn = (repository: string): string => `${registry.host}/${repository}:1`;

      async function issue(name: string, spec: RegistryTokenSpec): Promise<ObjectName> {
        const token = { accountRef: { name: registryName }, ...spec };
        const created = await world!.createToken(namespace, token, name);
        await world!.whenReady(created);
        return created;
      }

      async function push(name: ObjectName, repository: string): Promise<void> {
        const { data = {} } = await world!.secret(name);
        const authfile = join(folder, registryName, 'auth.json');
        await writeFile(authfile, Buffer.from(data[PAYLOAD_KEY] ?? '', 'base64'), { mode: 0o600 });
        const credentials = ['--authfile', authfile, '--dest-tls-verify=false'];
        await run('skopeo', [
          'copy',
          ...credentials,
          `oci:${image}:latest`,
          `docker://${imageIn(repository)}`,
        ]);
      }

      it('before and after a rotation; and once all is deleted, nothing is left at the registry', async () => {
        const [mine, others] = prepared.scopes;
        if (!mine || !others) throw new Error('the registry has two scopes');
        const reader = await issue('reader', { scope: [mine.name], rotation: { gracePeriod: '0s' } });
        const imagePullSecrets = [{ name: 'reader' }];
        await pods.create('first', imageIn(mine.repository), { imagePullSecrets });
        await pods.create('foreign', imageIn(others.repository), { imagePullSecrets });
        await pods.whenPhase('first', 'Running');
        await pods.whenPullFails('foreign');

        await world!.patchToken(reader, { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } });
        await world!.eventually(
          'it is rotated',
          async () => {
            const { status } = await world!.token(reader);
            const { lastHandledRotate, previousTokens = [] } = status ?? {};
            const isDone = lastHandledRotate === 'now' && previousTokens.length === 0;
            return isDone ? { value: true } : { seen: JSON.stringify(status) };
          },
          150_000,
        );
        await pods.create('second', imageIn(mine.repository), { imagePullSecrets });
        await pods.whenPhase('second', 'Running');

        for (const name of ['reader', 'writer']) await world!.deleteToken({ namespace, name });
        await world!.eventually(
          'nothing is left',
          async () => {
            const left = prepared.fake.left();
            return left.length === 0 ? { value: true } : { seen: left.join() };
          },
          SWEPT,
        );
      });
    });
  }
});

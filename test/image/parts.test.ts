import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Ecr } from '../../sandbox/registries/ecr/ecr.ts';
import { serve } from '../../sandbox/registries/shared/http-server.ts';
import { bundle } from '../../scripts/bundle.ts';
import { readSettings } from '../../scripts/image/dockerfile.ts';
import { systemClock as clock } from '../../src/common/clock.ts';
import { registerSecret } from '../support/secrecy.ts';

const POD_TOKEN = 'a-token-that-the-cluster-gave-the-pod';
registerSecret(POD_TOKEN);

describe('image: code that only some accounts need', function () {
  this.timeout(120_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  });
  after(() => rm(folder, { recursive: true }));

  const fromAws = (packages: string[]): string[] =>
    packages.filter((path) => /\/@(aws-sdk|smithy)\//.test(path));

  it('is not loaded when the operator starts', async () => {
    const { packagesAtStart } = await bundle(join(folder, 'operator'));
    expect(packagesAtStart).not.to.be.empty;
    expect(fromAws(packagesAtStart)).to.be.empty;
  });

  it("works as it is bundled, under Node's permissions: the AWS SDK exchanges the pod's identity for a token", async () => {
    const at = join(folder, 'exchange');
    const { packages, packagesAtStart, size } = await bundle(at, 'test/image/support/ecr-exchange.ts');
    expect(fromAws(packages)).not.to.be.empty;
    expect(fromAws(packagesAtStart)).to.be.empty;
    const tokenFile = join(at, 'app', 'token');
    await writeFile(tokenFile, POD_TOKEN);
    const account = 'arn:aws:iam::123456789012';
    const fake = new Ecr({
      clock,
      registryId: '123456789012',
      region: 'eu-central-1',
      users: [],
      roles: [
        {
          arn: `${account}:role/operator`,
          trusts: [],
          webIdentityTokens: [POD_TOKEN],
          permissions: [{ effect: 'Allow', actions: ['sts:AssumeRole'], resources: ['*'] }],
        },
        {
          arn: `${account}:role/puller`,
          trusts: [`${account}:role/operator`],
          permissions: [{ effect: 'Allow', actions: ['ecr:*'], resources: ['*'] }],
        },
      ],
    });
    const server = await serve(fake, { port: 0 });
    try {
      const dockerfile = await readFile('Dockerfile', 'utf8');
      const { entrypoint } = readSettings(dockerfile, { VERSION: '', REVISION: '', CREATED: '' });
      const flags = entrypoint.slice(1).map((flag) => flag.replace('/app/', `${at}/app/`));
      const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', ...flags], {
        env: {
          ECR_ENDPOINT: server.url,
          AWS_ROLE_ARN: `${account}:role/operator`,
          AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
        },
      });
      const { before, after, ...token } = JSON.parse(stdout) as Record<string, number | string>;
      expect(token).to.deep.equal({ username: 'AWS', value: 'there' });
      const kibibytes = Number(after) - Number(before);
      process.stdout.write(
        `      the AWS SDK: ${(size.later / 2 ** 20).toFixed(1)} MiB of code, ${(kibibytes / 1024).toFixed(0)} MiB of memory after an exchange\n`,
      );
    } finally {
      await server.close();
    }
  });
});

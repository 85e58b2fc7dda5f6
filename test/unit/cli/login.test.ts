import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { withLogins } from '../../../src/cli/login/docker-login.ts';
import { CliStage } from './support/cli-stage.ts';
import { around, readyToken, SECRET, VALUE, writtenSecret } from './support/objects.ts';

const token = readyToken();
const AUTH = Buffer.from(`iamapikey:${VALUE}`).toString('base64');
const logins = { 'us.icr.io': { auth: 'eA==' } };

describe('kubectl registrytoken login', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'login-'))));
  afterEach(() => rm(folder, { recursive: true }));
  const run = (argv: string[], answers = around(token)) =>
    new CliStage(answers).run(['login', 'app-pull', ...argv], { variables: { DOCKER_CONFIG: folder } });

  for (const argv of [[], ['--print', '--write']])
    it(`gives the credential to nobody with ${argv.join(' ') || 'no flag'}`, async () => {
      const { exit, out, err } = await run(argv);
      expect({ exit, out }).to.deep.equal({ exit: 1, out: '' });
      expect(err).to.equal(
        'error: where the credential is to go is not said\nto do: give one of --write and --print\n',
      );
    });

  it('with --print prints a docker configuration', async () => {
    const { out } = await run(['--print']);
    expect(JSON.parse(out)).to.deep.equal({ auths: { 'us.icr.io': { auth: AUTH } } });
  });

  it('with --write keeps what else is in the file, lets nobody else read it, and prints no credential', async () => {
    const path = join(folder, 'config.json');
    await writeFile(path, '{"auths":{"other.test":{"auth":"eA=="}},"detachKeys":"x"}');
    const { exit, out, err } = await run(['--write']);
    expect({ exit, out, err }).to.deep.equal({ exit: 0, out: `${path}: logged in to us.icr.io\n`, err: '' });
    expect(JSON.parse(await readFile(path, 'utf8'))).to.deep.equal({
      auths: { 'other.test': { auth: 'eA==' }, 'us.icr.io': { auth: AUTH } },
      detachKeys: 'x',
    });
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('with --file makes that file, with its folder', async () => {
    const path = join(folder, 'deep', 'auth.json');
    await run(['--write', '--file', path]);
    expect(JSON.parse(await readFile(path, 'utf8'))).to.have.nested.property('auths.us\\.icr\\.io');
  });

  it('with --write writes through no file that somebody else has put beside it', async () => {
    const [path, elsewhere] = [join(folder, 'config.json'), join(folder, 'elsewhere')];
    await writeFile(elsewhere, '');
    await symlink(elsewhere, `${path}.kubectl-registrytoken`);
    expect(await run(['--write'])).to.include({ exit: 0 });
    expect(await readFile(elsewhere, 'utf8')).to.equal('');
    expect((await lstat(path)).mode & 0o777).to.equal(0o600);
    expect(await readdir(folder)).to.have.lengthOf(3);
  });

  it('gives no token but the one of the status', async () => {
    const { exit, err } = await run(
      ['--print'],
      around(token, { [`GET ${SECRET}`]: writtenSecret(token, 'token-2') }),
    );
    expect(exit).to.equal(1);
    expect(err).to.match(/^error: Secret app-pull does not hold the token of RegistryToken app-pull\n/);
  });

  for (const text of ['[]', '{', '{"auths":[]}'])
    it(`leaves a file alone that holds ${text}`, () => {
      expect(() => withLogins(text, logins, 'f')).to.throw('f is no docker configuration');
    });

  it('says that docker looks elsewhere where the file names a credential store', () => {
    expect(withLogins('{"credsStore":"desktop"}', logins, 'f').remark).to.match(
      /^f names a credential store/,
    );
    expect(withLogins('{"credHelpers":{"us.icr.io":"x"}}', logins, 'f').remark).to.match(/^f names/);
    expect(withLogins('{"credHelpers":{"other.test":"x"}}', logins, 'f').remark).to.equal(undefined);
    expect(withLogins(undefined, logins, 'f').text).to.include('us.icr.io');
  });
});

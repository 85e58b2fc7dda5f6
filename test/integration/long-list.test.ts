import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock as clock } from '../../src/common/clock.ts';
import { serve, type Server } from '../../sandbox/registries/shared/http-server.ts';
import { TokenService } from '../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import { registerSecret } from '../support/secrecy.ts';

const run = promisify(execFile);
const READER = fileURLToPath(new URL('support/list-reader.ts', import.meta.url));
const API_KEY = 'key-of-the-long-list';
const MIB = 2 ** 20;
/** Of V8's old space. The list as one text needs more by itself. */
const HEAP = 48;

describe('a registry with a long list', () => {
  let service: TokenService;
  let server: Server;
  before(async () => {
    registerSecret(API_KEY);
    service = new TokenService({ clock, apiKeys: [{ key: API_KEY, accountId: 'account-1' }] });
    server = await serve(service, { port: 0 });
  });
  afterEach(() => service.faults.clear());
  after(() => server.close());

  const list = async (): Promise<{ listed: number; kept: number; grown: number }> => {
    const { stdout } = await run(process.execPath, [
      `--max-old-space-size=${HEAP}`,
      READER,
      server.url,
      API_KEY,
    ]);
    return JSON.parse(stdout) as { listed: number; kept: number; grown: number };
  };

  it('of 100,000 rows, 64 MiB, is read whole in little memory', async () => {
    service.faults.add({ operation: 'list', kind: 'more-rows', rows: 100_000 });
    const { listed, kept, grown } = await list();
    expect({ listed, kept }).to.deep.equal({ listed: 100_000, kept: 0 });
    expect(grown / MIB).to.be.below(64);
  });

  it('of more than 128 MiB is refused, and the message says so', async () => {
    service.faults.add({ operation: 'list', kind: 'more-rows', rows: 249_000 });
    const error = await list().then(
      () => expect.fail('it was read'),
      (reason: Error & { stderr: string }) => reason,
    );
    expect(error.stderr).to.include('too long: lists are read up to 128 MiB and 250000 rows');
  });
});

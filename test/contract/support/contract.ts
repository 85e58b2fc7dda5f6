import { atEnd } from '../../support/at-end.ts';
import { realAssets, startReal, startEmbedded, type RunningApiServer } from '../../support/api-servers.ts';
import { Api } from './api.ts';

type Start = () => Promise<RunningApiServer>;

const servers: [title: string, start: Start][] = [['embedded', startEmbedded]];
if (realAssets !== undefined) servers.push(['real', () => startReal(realAssets ?? '')]);

const running = new Map<string, Promise<Api>>();

/** One server of each kind for all specifications of a run, or of a file where files run side by side. */
function connect(title: string, start: Start): Promise<Api> {
  let api = running.get(title);
  if (!api) {
    api = start().then(async (server) => {
      const connected = new Api(server);
      atEnd(async () => {
        running.delete(title);
        await connected.close();
      });
      await connected.connect();
      server.startControllers?.();
      return connected;
    });
    running.set(title, api);
  }
  return api;
}

/** Specifications that hold for every API server: run for the embedded one, and for a real one where there is one. */
export function contract(subject: string, specify: (api: () => Api) => void): void {
  for (const [title, start] of servers)
    describe(`${subject} (${title} API server)`, () => {
      let api: Api;
      before(async function () {
        this.timeout(120_000);
        api = await connect(title, start);
      });
      specify(() => api);
    });
}

/** Skips a specification, saying so, on a server older than the behaviour it describes. */
export function since(context: Mocha.Context, { minor: is }: Api, minor: number): void {
  skipBefore(context, is, minor);
}

/** As `since`, for a behaviour of custom resources, which a newer server may serve. */
export function customResourcesSince(
  context: Mocha.Context,
  { customResourcesMinor: is }: Api,
  minor: number,
): void {
  skipBefore(context, is, minor);
}

function skipBefore(context: Mocha.Context, is: number, minor: number): void {
  if (is >= minor) return;
  const { test } = context;
  if (test) test.title += ` [skipped: needs Kubernetes 1.${minor}, this is 1.${is}]`;
  context.skip();
}

/** Waits until a look gives something. @throws Error after ten seconds */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** kubectl-registrytoken: the process around the program. */
import packageJson from '../../package.json' with { type: 'json' };
import { systemClock as clock } from '../common/clock.ts';
import { connect } from './cluster.ts';
import { EXIT, run } from './program.ts';

const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    ending.abort(new Error(name));
    // Whatever does not heed it.
    process.once(name, () => process.exit(EXIT.interrupted));
  });
}
// A reader such as head that has seen enough.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? EXIT.done : EXIT.failed),
);

const { env } = process;
process.exitCode = await run(process.argv.slice(2), {
  terminal: {
    write: (text) => void process.stdout.write(text),
    tell: (text) => void process.stderr.write(text),
    colour: process.stdout.isTTY && !env['NO_COLOR'],
    live: process.stderr.isTTY,
  },
  clock,
  signal: ending.signal,
  variables: env,
  version: packageJson.version,
  connect: (flags) => connect(flags, { paths: env['KUBECONFIG'], clock, version: packageJson.version }),
});

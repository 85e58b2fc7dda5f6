/** kubectl-registrytoken: the process around the program. */
import packageJson from '../../package.json' with { type: 'json' };
import { systemClock as clock } from '../common/clock.ts';
import { connect } from './cluster.ts';
import { EXIT, run } from './program.ts';

const ending = new AbortController();
// SIGHUP: the terminal is gone, as when a connection breaks.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => {
    ending.abort(new Error(name));
    // Whatever does not heed it.
    process.once(name, () => process.exit(EXIT.interrupted));
  });
}
// Nobody reads on, as head that has seen enough. It ends as by Ctrl-C, so that a command can put right what it has begun.
let isUnread = false;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') isUnread = true;
    else process.exitCode = EXIT.failed;
    ending.abort(error);
  });

const { env } = process;
const tell = (text: string): void => void process.stderr.write(text);
const exit = await run(process.argv.slice(2), {
  terminal: {
    write: (text) => void process.stdout.write(text),
    tell,
    colour: process.stdout.isTTY && !env['NO_COLOR'],
    live: process.stderr.isTTY,
  },
  clock,
  signal: ending.signal,
  variables: env,
  version: packageJson.version,
  connect: (flags) => connect(flags, { paths: env['KUBECONFIG'], clock, version: packageJson.version, tell }),
});
process.exitCode ||= exit === EXIT.interrupted && isUnread ? EXIT.done : exit;

import { writeFileSync } from 'node:fs';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { whenToEnd } from '../ending.ts';
import { narrate } from '../narrator.ts';
import { readCommandLine, type Arguments } from './command-line.ts';
import { serve } from './shared/http-server.ts';

const commandLine = readCommandLine(process.argv.slice(2));
if ('exit' in commandLine) {
  (commandLine.exit === 0 ? process.stdout : process.stderr).write(commandLine.output);
  process.exitCode = commandLine.exit;
} else {
  try {
    await run(commandLine.arguments);
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
}

async function run({ title, open, port, certificate, faults }: Arguments): Promise<void> {
  const ending = whenToEnd();
  const fake = open(systemClock);
  fake.on('answered', ({ error }) => {
    if (error) complain(error);
  });
  if (certificate !== undefined) writeFileSync(certificate, await fake.certificate());
  const server = await serve(fake, { port, faults });
  const tell = (line: string): void => void process.stdout.write(`${line}\n`);
  tell(`${title} listens on ${server.url}`);
  // Also how it finds out that nobody reads any more.
  narrate(fake, tell);
  await sleep(systemClock, Infinity, ending).catch(() => undefined);
  await server.close();
}

function complain(error: unknown): void {
  process.stderr.write(`registry: ${error instanceof Error ? error.message : String(error)}\n`);
}

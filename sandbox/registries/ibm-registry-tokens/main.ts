import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { systemClock } from '../../../src/common/clock.ts';
import { readCommandLine, type Arguments } from './command-line.ts';
import { serve } from '../shared/http-server.ts';
import { StateFile } from './state-file.ts';
import { TokenService } from './token-service.ts';

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

async function run(options: Arguments): Promise<void> {
  const { port, apiKeys, tokenLifetime, host, state, certificate, faults = false } = options;
  const service = new TokenService({
    clock: systemClock,
    apiKeys,
    ...(tokenLifetime !== undefined && { tokenLifetime }),
    ...(host !== undefined && { host }),
    ...(state !== undefined && { state: new StateFile(state) }),
  });
  service.on('answered', ({ error }) => {
    if (error) complain(error);
  });
  if (certificate !== undefined) writeFileSync(certificate, await service.certificate());
  const server = await serve(service, { port, faults });
  process.stdout.write(`token service listening on ${server.url}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await server.close();
}

function complain(error: unknown): void {
  process.stderr.write(`token-service: ${error instanceof Error ? error.message : String(error)}\n`);
}

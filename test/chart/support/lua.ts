import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { toolFolder } from '../../../scripts/tools/npm-archive.ts';

/** Lua 5.4 as WebAssembly (MIT). Argo CD has 5.1, with the basic functions. */
const WASMOON = {
  package: 'wasmoon@1.16.0',
  integrity:
    'sha512-FlRLb15WwAOz1A9OQDbf6oOKKSiefi5VK0ZRF2wgH9xk3o5SnU11tNPaOnQuAh1Ucr66cwwvVXaeVRaFdRBt5g==',
};
/** In the package, and in the folder: the project's own type is module. */
const FILES = { 'dist/index.js': 'index.cjs', 'dist/glue.wasm': 'glue.wasm' };

interface Wasmoon {
  LuaFactory: new () => { createEngine: () => Promise<{ doString: (script: string) => Promise<unknown> }> };
}

/** What a script of Lua returns. @param obj the global variable of that name */
export async function runLua(script: string, obj: unknown): Promise<unknown> {
  const folder = await toolFolder('lua', WASMOON, Object.keys(FILES), async (from, to) => {
    for (const [source, target] of Object.entries(FILES))
      await copyFile(join(from, source), join(to, target));
  });
  const { LuaFactory } = createRequire(import.meta.url)(join(folder, 'index.cjs')) as Wasmoon;
  const engine = await new LuaFactory().createEngine();
  return engine.doString(`obj = ${luaOf(obj)}\n${script}`);
}

/** A value of JSON as an expression of Lua. Text as JSON has it, so without what JSON escapes as \u. */
function luaOf(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(luaOf).join(', ')}}`;
  if (typeof value !== 'object' || value === null)
    return value === undefined || value === null ? 'nil' : JSON.stringify(value);
  const fields = Object.entries(value).map(([key, each]) => `[${JSON.stringify(key)}] = ${luaOf(each)}`);
  return `{${fields.join(', ')}}`;
}

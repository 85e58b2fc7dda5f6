/** The project's own rules on files, those that no linter knows. Each gives its complaints, one a line; none is good. */

import { posix } from 'node:path';

export interface SourceFile {
  path: string;
  text: string;
}

const MAX_FILE_LINES = 500;
/** Clients keep the last applied definition in an annotation, and the server takes 256 KiB of those in all. */
const MAX_DEFINITION = 100_000;
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

export function tooLong(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_FILE_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${MAX_FILE_LINES}; split it by what it does`);
}

/** Places that read the machine's clock by `new Date()`; the linter knows the other ways. */
export function clockReadings(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        /\bnew Date\(\s*\)|(?<![\w.] *|new )\bDate\(/.test(line)
          ? [`${path}:${index + 1}: take the time from a Clock`]
          : [],
      ),
  );
}

/** Names of limits that are not told as such: `MAX_…` and `MIN_…` are. */
export function oddLimits(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/\bconst ((?:LONGEST|MOST|LARGEST|SHORTEST|LEAST|SMALLEST|FEWEST)_\w+)/g)].map(
      ([, name = '']) => `${path}: ${name}; limits are MAX_… and MIN_…`,
    ),
  );
}

/** Actions of workflows that are not pinned to a commit with its version in a comment: whoever owns a tag can move it. */
export function looseActions(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        /^\s*(- )?uses: (?!\.\/)/.test(line) && !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)
          ? [`${path}:${index + 1}: pin the action to a commit, and give its version in a comment: # v1.2.3`]
          : [],
      ),
  );
}

/** Who may read conditions: what merges them into a status, and what shows them to others. */
const READERS_OF_CONDITIONS = [
  'src/api/conditions.ts',
  'src/api/generated/',
  'src/ops/metrics/',
  'src/cli/',
  // A ClusterRegistryToken tells how many of its RegistryTokens are Ready.
  'src/token/cluster-token/summary.ts',
];

/** Places that read an object's conditions: they are what others are told, and no decision may hang on them. */
export function conditionReadings(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !READERS_OF_CONDITIONS.some((reader) => path.startsWith(reader)))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          /^ *(\*|\/[/*])/.test(line) || !/(?<![\w/-])conditions(?!\.ts)\b|\bfindCondition\b/.test(line)
            ? []
            : [`${path}:${index + 1}: decide by the status' other fields, not by its conditions`],
        ),
    );
}

const BACK_ENDS = 'src/registry/backends.ts';

/** Imports of a back end's folder from outside: only the table of back ends may, and whatever is in that is one. */
export function backEndImports(files: readonly SourceFile[]): string[] {
  const table = files.find(({ path }) => path === BACK_ENDS);
  const folders = new Set(table ? importsOf(table).flatMap((path) => folderOf(path) ?? []) : []);
  return files
    .filter(({ path }) => path !== BACK_ENDS)
    .flatMap((file) => {
      const others = importsOf(file).filter((path) => {
        const folder = folderOf(path);
        return folder !== undefined && folders.has(folder) && !file.path.startsWith(folder);
      });
      return others.map((path) => `${file.path}: imports ${path}; only ${BACK_ENDS} imports a back end`);
    });
}

/** Paths of the modules that a file imports by a relative path, types and dynamic imports included. */
function importsOf({ path, text }: SourceFile): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(([, specifier = '']) =>
    posix.join(posix.dirname(path), specifier),
  );
}

function folderOf(path: string): string | undefined {
  return /^src\/registry\/[^/]+\//.exec(path)?.[0];
}

export function oversizedDefinitions(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, size: Buffer.byteLength(text) }))
    .filter(({ size }) => size >= MAX_DEFINITION)
    .map(({ path, size }) => `${path}: ${size} bytes, must stay under ${MAX_DEFINITION}`);
}

/** Dependencies of a package.json that are ranges: every installation must get the same. */
export function inexactDependencies(manifest: Record<string, unknown>): string[] {
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.entries((manifest[kind] ?? {}) as Record<string, string>)
      .filter(([, version]) => !EXACT_VERSION.test(version))
      .map(([name, version]) => `package.json: ${kind}.${name} is ${version}, not one version`),
  );
}

import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/common/objects.ts';

const FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));

/** An object of examples/. */
export interface Example {
  /** Below examples/. */
  file: string;
  object: KubeObject & { spec?: unknown };
}

export async function readExamples(): Promise<Example[]> {
  const files: string[] = [];
  for await (const file of glob('**/*.yaml', { cwd: FOLDER })) files.push(file);
  const objects = await Promise.all(
    files.sort().map(async (file) =>
      parseAllDocuments(await readFile(`${FOLDER}${file}`, 'utf8')).map((document) => ({
        file,
        object: document.toJS() as Example['object'],
      })),
    ),
  );
  return objects.flat();
}

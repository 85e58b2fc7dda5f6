/** The pages of the documentation, and the blocks of code that they show. */
import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/common/objects.ts';

const FOLDER = fileURLToPath(new URL('../../docs/', import.meta.url));

/** A fenced block of code. */
export interface Block {
  language: string;
  /** What stands behind the language, and is not shown. */
  remark: string;
  text: string;
}

/** Pages below docs/ that match a pattern, in order. */
export async function pagesBelow(pattern: string): Promise<string[]> {
  const pages: string[] = [];
  for await (const page of glob(pattern, { cwd: FOLDER })) pages.push(page);
  return pages.sort();
}

export const readPage = (page: string): Promise<string> => readFile(`${FOLDER}${page}`, 'utf8');

export async function blocksOf(page: string): Promise<Block[]> {
  const blocks = (await readPage(page)).matchAll(/^( *)```(\w*)([^\n]*)\n(.*?)^\1```$/gms);
  return [...blocks].map(([, indent = '', language = '', remark = '', text = '']) => ({
    language,
    remark: remark.trim(),
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** The commands of a page, as one script that ends at the first that fails. */
export async function scriptOf(page: string): Promise<string> {
  const blocks = (await blocksOf(page)).filter(({ language, remark }) => language === 'sh' && remark === '');
  return ['set -euo pipefail', ...blocks.map(({ text }) => text)].join('\n');
}

/** The whole objects that a page shows or applies. @throws Error where YAML does not parse */
export async function objectsOf(page: string): Promise<KubeObject[]> {
  const texts = (await blocksOf(page)).flatMap(({ language, text }) =>
    language === 'yaml' ? text : language === 'sh' ? applied(text) : [],
  );
  return texts.flatMap((text) =>
    parseAllDocuments(text).flatMap((document) => {
      const [error] = document.errors;
      if (error) throw new Error(`${page}: ${error.message}\n${text}`);
      const object = document.toJS() as KubeObject | null;
      return object?.kind === undefined ? [] : object;
    }),
  );
}

const applied = (commands: string): string[] =>
  [...commands.matchAll(/^kubectl apply .*<<'(\w+)'\n(.*?)^\1$/gms)].map(([, , manifest = '']) => manifest);

/**
 * Puts faults, or marks where they could be, into modules as they are loaded: for `node --import`. MUTANTS names a JSON file of
 * mutants; MUTANT is the id of the one to have, without it there are marks for all.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { marked, mutated, type Mutant } from './mutant.ts';
import { reach } from './reached.ts';

const ROOT = join(import.meta.dirname, '../..');
const MARK = 'globalThis.markReached';
const { MUTANTS = '', MUTANT } = process.env;

const all = JSON.parse(readFileSync(MUTANTS, 'utf8')) as Mutant[];
const wanted = MUTANT === undefined ? all : all.filter(({ id }) => id === Number(MUTANT));
const byUrl = Map.groupBy(wanted, ({ file }) => pathToFileURL(join(ROOT, file)).href);
Object.assign(globalThis, { markReached: reach });

registerHooks({
  load(url, context, next) {
    const mutants = byUrl.get(url);
    if (!mutants) return next(url, context);
    const source = readFileSync(new URL(url), 'utf8');
    const text = MUTANT === undefined ? marked(source, mutants, MARK) : mutated(source, mutants[0]!);
    return { format: 'module-typescript', source: text, shortCircuit: true };
  },
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Compiler } from './compiler.ts';
import { mutated, type Mutant } from './mutant.ts';
import { faultsOf } from './operators.ts';

const GENERATED = 'src/api/generated/';

/**
 * Draws faults that compile, each as likely as any other.
 * @param under file or folder, from the root
 * @param random uniform in [0, 1)
 * @returns fewer than `count` where there are not so many
 */
export function sample(
  root: string,
  compiler: Compiler,
  { under, count, random }: { under: string; count: number; random: () => number },
): Mutant[] {
  const files = compiler.files.filter((file) => file.startsWith(under) && !file.startsWith(GENERATED));
  const all = files.flatMap((file) => {
    const tree = compiler.tree(file);
    return faultsOf(tree, (expression) => compiler.typeOf(expression)).map((fault) => ({
      ...fault,
      file,
      line: tree.getLineAndCharacterOfPosition(fault.start).line + 1,
    }));
  });
  const drawn: Mutant[] = [];
  for (let left = all.length; left > 0 && drawn.length < count; left--) {
    const at = Math.floor(random() * left);
    const mutant = { ...all[at]!, id: drawn.length };
    all[at] = all[left - 1]!;
    const source = readFileSync(join(root, mutant.file), 'utf8');
    if (compiler.accepts(mutant.file, mutated(source, mutant))) drawn.push(mutant);
  }
  return drawn;
}

import { dirname, join } from 'node:path';
import type { Compiler } from './compiler.ts';

/** Who imports a file of the project, in however many steps. All paths from its root. */
export function importersOf(compiler: Compiler): (file: string) => ReadonlySet<string> {
  const direct = new Map<string, Set<string>>();
  for (const importer of compiler.files) {
    for (const specifier of compiler.imports(importer).filter((text) => text.startsWith('.'))) {
      const imported = join(dirname(importer), specifier);
      direct.set(imported, (direct.get(imported) ?? new Set()).add(importer));
    }
  }
  return (file) => {
    const found = new Set([file]);
    for (const each of found) for (const importer of direct.get(each) ?? []) found.add(importer);
    return found;
  };
}

import { join, relative, resolve } from 'node:path';
import type { Expression, SourceFile } from 'typescript/unstable/ast';
import { API, DiagnosticCategory, type Project, type Snapshot } from 'typescript/unstable/sync';

/** Complaints that something is not used (any more): that is no fault, it may be what a fault leaves behind. */
const UNUSED = new Set([6133, 6138, 6192, 6196, 6198, 6199, 7027]);

/** The TypeScript compiler, for syntax trees and for what does not compile. To be closed. */
export class Compiler {
  readonly #root: string;
  readonly #api: API;
  #snapshot: Snapshot;
  #overlay: { path: string; text: string } | undefined;

  /** @param root folder with the tsconfig.json */
  constructor(root: string) {
    this.#root = root;
    this.#api = new API({
      cwd: root,
      fs: { readFile: (path) => (path === this.#overlay?.path ? this.#overlay.text : undefined) },
    });
    this.#snapshot = this.#api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] });
  }

  /** Files of the project, from its root. */
  get files(): string[] {
    return this.#program
      .getSourceFileNames()
      .map((name) => relative(this.#root, name))
      .filter((name) => !name.startsWith('..') && !name.startsWith('node_modules'))
      .sort();
  }

  /** @throws RangeError when the file is not of the project */
  tree(file: string): SourceFile {
    const tree = this.#program.getSourceFile(resolve(this.#root, file));
    if (!tree) throw new RangeError(`${file} is not in the project`);
    return tree;
  }

  /** The type of an expression in a tree, as the compiler writes it; awaited, where it is a promise. */
  typeOf(expression: Expression): string {
    const { checker } = this.#project;
    const type = checker.getTypeAtLocation(expression);
    const text = type ? checker.typeToString(type) : '';
    return /^Promise<(.*)>$/.exec(text)?.[1] ?? text;
  }

  /** Whether the compiler accepts the file with this text instead of its own. */
  accepts(file: string, text: string): boolean {
    return this.with(file, text, () => {
      const path = resolve(this.#root, file);
      const found = [
        ...this.#program.getSyntacticDiagnostics(path),
        ...this.#program.getSemanticDiagnostics(path),
      ];
      return !found.some(({ code, category }) => category === DiagnosticCategory.Error && !UNUSED.has(code));
    });
  }

  /** What is said of a file as long as it has this text instead of its own. */
  with<T>(file: string, text: string, say: (tree: SourceFile) => T): T {
    const path = resolve(this.#root, file);
    this.#overlay = { path, text };
    try {
      this.#reload(path);
      return say(this.tree(file));
    } finally {
      this.#overlay = undefined;
      this.#reload(path);
    }
  }

  close(): void {
    this.#api.close();
  }

  /** What a file imports, as it is written there. */
  imports(file: string): string[] {
    return this.tree(file).imports.map((specifier) => ('text' in specifier ? String(specifier.text) : ''));
  }

  get #program(): Project['program'] {
    return this.#project.program;
  }

  get #project(): Project {
    const [project] = this.#snapshot.getProjects();
    if (!project) throw new Error('there is no project');
    return project;
  }

  #reload(path: string): void {
    const last = this.#snapshot;
    this.#snapshot = this.#api.updateSnapshot({ fileChanges: { changed: [path] } });
    last.dispose();
  }
}

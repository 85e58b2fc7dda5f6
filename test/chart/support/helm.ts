import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { helmTools, type HelmTools } from '../../../scripts/helm-tools.ts';

export const CHART = fileURLToPath(new URL('../../../charts/registry-token-operator', import.meta.url));
export const RELEASE = 'pull';
export const NAMESPACE = 'registry-system';
/** Where nodes would find the operator's image, which the chart wants to be told. */
const REPOSITORY = 'registry.test/registry-token-operator';

/** Several runs of helm and a start of the operator, on a machine that is busy; milliseconds. */
const PATIENCE = 120_000;

export type Values = Record<string, unknown>;

/** An object as the chart renders it. */
export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** What a program said, and how it ended. */
export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

/** Helm by its major version; undefined, with the reason printed, where it can't be had. */
export const helms = new Map<3 | 4, HelmTools>();
for (const major of [4, 3] as const) {
  try {
    helms.set(major, await helmTools(major));
  } catch (error) {
    process.stderr.write(`chart tests without helm ${major}: ${(error as Error).message}\n`);
  }
}

/** A describe block for each helm that there is; a pending one where there is none. */
export function describeHelm(title: string, suite: (helm: Helm) => void, majors: (3 | 4)[] = [4, 3]): void {
  for (const major of majors) {
    const tools = helms.get(major);
    if (tools) {
      describe(`${title} (helm ${major})`, function () {
        this.timeout(PATIENCE);
        suite(new Helm(major, tools));
      });
    } else {
      describe.skip(`${title} (helm ${major})`, () => it('needs helm', () => undefined));
    }
  }
}

export class Helm {
  readonly major: 3 | 4;
  readonly tools: HelmTools;

  constructor(major: 3 | 4, tools: HelmTools) {
    this.major = major;
    this.tools = tools;
  }

  run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return runProgram(this.tools.helm, args, input, env);
  }

  /** What `helm template` makes of the chart. @throws Error with what helm said when it refuses */
  async render(values: Values = {}, ...args: string[]): Promise<Rendered[]> {
    const { status, stdout, stderr } = await this.template(values, ...args);
    if (status !== 0) throw new Error(stderr);
    return objectsOf(stdout);
  }

  template(values: Values, ...args: string[]): Promise<Outcome> {
    const command = ['template', RELEASE, CHART, '--namespace', NAMESPACE, '--values', '-', ...args];
    return this.run(command, JSON.stringify(withImage(values)));
  }

  /** NOTES.txt as an installation would print it. */
  async notes(values: Values = {}): Promise<string> {
    const dryRun = ['install', RELEASE, CHART, '--namespace', NAMESPACE, '--dry-run=client', '--values', '-'];
    const { status, stdout, stderr } = await this.run(dryRun, JSON.stringify(withImage(values)));
    if (status !== 0) throw new Error(stderr);
    return stdout.slice(stdout.indexOf('\nNOTES:\n'));
  }
}

/** The objects of a manifest as Kubernetes reads it: in YAML 1.1, where more words than `true` and `null` are none. */
export function objectsOf(manifest: string): Rendered[] {
  return parseAllDocuments(manifest, { version: '1.1' })
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** Values that say where the image is, if they did not. */
export function withImage(values: Values): Values {
  return { ...values, image: { repository: REPOSITORY, ...(values['image'] as Values | undefined) } };
}

const execute = promisify(execFile);

/** @throws never: a status other than 0 is an outcome as well */
export async function runProgram(
  program: string,
  args: readonly string[],
  input = '',
  env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const running = execute(program, args, { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 });
  // A program that does not read its input may have ended before it came.
  running.child.stdin?.once('error', () => undefined);
  running.child.stdin?.end(input);
  try {
    return { status: 0, ...(await running) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

/** The one object of a kind and name. @throws Error when there is none, or several */
export function find(objects: readonly Rendered[], kind: string, name?: string): Rendered {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  const [object] = found;
  if (!object || found.length > 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`);
  return object;
}

import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { completionScript } from '../../src/cli/completion/scripts.ts';
import type { Entry } from '../image/tar.ts';
import { MIN_NODE, PROGRAM } from './program.ts';

/** What a release of the plugin is. */
export interface PluginRelease {
  version: string;
  /** Of the project, such as https://github.com/OWNER/NAME. */
  homepage: string;
}

/** The helper that kubectl runs to complete the plugin's words. */
export const COMPLETION = 'kubectl_complete-registrytoken';
const SUMMARY = 'Show, rotate and create RegistryTokens, and the pull secrets they keep alive';

/** The files of the plugin as people get them, by name. `package.json` makes Node read the program as a module wherever it lies. */
export function pluginFiles(
  release: PluginRelease,
  { program, license, notices }: { program: Buffer; license: Buffer; notices: string },
): Record<string, { mode: number; content: Buffer }> {
  const text = (content: string, mode = 0o644): { mode: number; content: Buffer } => ({
    mode,
    content: Buffer.from(content),
  });
  return {
    [PROGRAM]: { mode: 0o755, content: program },
    [COMPLETION]: text(completionScript('kubectl'), 0o755),
    'package.json': text(`${JSON.stringify(packageManifest(release), undefined, 2)}\n`),
    'README.md': text(readme(release)),
    LICENSE: { mode: 0o644, content: license },
    'THIRD-PARTY-NOTICES.txt': text(notices),
  };
}

/** For npm: `npm install --global kubectl-registrytoken` puts both executables into PATH. */
export function packageManifest({ version, homepage }: PluginRelease): object {
  return {
    name: PROGRAM,
    version,
    description: SUMMARY,
    license: 'Apache-2.0',
    homepage,
    repository: { type: 'git', url: `git+${homepage}.git` },
    type: 'module',
    engines: { node: `>=${MIN_NODE}` },
    bin: { [PROGRAM]: PROGRAM, [COMPLETION]: COMPLETION },
    files: [PROGRAM, COMPLETION, 'THIRD-PARTY-NOTICES.txt'],
  };
}

const readme = ({ homepage }: PluginRelease): string => `# kubectl registrytoken

${SUMMARY}. It is a plugin of kubectl and part of [registry-token-operator](${homepage}).

\`\`\`sh
kubectl registrytoken status -A
kubectl registrytoken why app-pull -n team-a
\`\`\`

It needs Node.js ${MIN_NODE} or later. All commands: ${homepage}/blob/main/docs/kubectl-plugin.md
`;

/** The archive's entries. */
export function archiveEntries(files: ReturnType<typeof pluginFiles>): Entry[] {
  return Object.entries(files).map(([path, { mode, content }]) => ({
    path,
    mode,
    content: { file: content },
  }));
}

export function archiveName({ version }: Pick<PluginRelease, 'version'>): string {
  return `${PROGRAM}-${version}.tar.gz`;
}

/**
 * The manifest for krew (https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/), which krew installs as `registrytoken`.
 * @param archive as it is published under the version's tag
 */
export function krewManifest(release: PluginRelease, archive: Buffer): string {
  const { version, homepage } = release;
  const platform = (os: string): object => ({
    selector: { matchLabels: { os } },
    uri: `${homepage}/releases/download/v${version}/${archiveName(release)}`,
    sha256: createHash('sha256').update(archive).digest('hex'),
    bin: PROGRAM,
  });
  return stringify(
    {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name: 'registrytoken' },
      spec: {
        version: `v${version}`,
        homepage,
        shortDescription: 'Show, rotate and create registry pull secrets',
        description: `${SUMMARY}.\n\nFor clusters with registry-token-operator. Shows how a RegistryToken is, says what is in the way of it,\nrotates and creates them.\n`,
        caveats: `Needs Node.js ${MIN_NODE} or later in PATH.\n`,
        platforms: ['linux', 'darwin'].map(platform),
      },
    },
    { lineWidth: 0 },
  );
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { makePlugin } from '../plugin.ts';
import { billOfMaterials } from '../image/bill-of-materials.ts';
import { changesOf, notesOf } from './changelog.ts';
import { installManifest, NAMESPACE } from './install-manifest.ts';
import { imageRepository, projectUrl, type Release } from './names.ts';
import { publishedChart } from './published-chart.ts';

const NAME = 'registry-token-operator';
const CHART = `charts/${NAME}`;
/** Policies about Secrets are of this release's kinds. */
const KUBERNETES = '1.30.0';
const run = promisify(execFile);

/** The files of a release that people download, by what each is. */
export const FILES = (version: string): Record<string, string> => ({
  'install.yaml': 'the operator and its CRDs as one manifest, rendered from the chart',
  'crds.yaml': 'the CRDs alone',
  [`${NAME}-${version}.tgz`]: 'the chart, which knows where the image is',
  'sbom.cdx.json': 'what is in the bundle, as CycloneDX',
  [`kubectl-registrytoken-${version}.tar.gz`]: 'the kubectl plugin, and its license',
  'registrytoken.yaml': 'the manifest of the plugin for krew',
});

/**
 * Makes the files of a release in a folder, with their checksums and the notes.
 * @param helm the program
 * @param changelog the text of CHANGELOG.md
 * @param section of the changelog; the version's own unless a release is only tried
 */
export async function makeFiles(
  release: Release,
  { folder, helm, changelog, section = release.version }: MakeOptions,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const notes = notesOf(changelog, section);
  await writeFile(join(folder, 'notes.md'), `${notes}\n\n${footer(release)}`);
  await writeFile(join(folder, 'sbom.cdx.json'), await billOfMaterials(NAME));
  const crds: string[] = [];
  for (const name of (await readdir('crds')).sort()) crds.push(await readFile(join('crds', name), 'utf8'));
  await writeFile(join(folder, 'crds.yaml'), crds.join('---\n'));

  const chart = join(folder, 'chart', NAME);
  await cp(CHART, chart, { recursive: true });
  const texts = {
    'Chart.yaml': await readFile(join(CHART, 'Chart.yaml'), 'utf8'),
    'values.yaml': await readFile(join(CHART, 'values.yaml'), 'utf8'),
  };
  for (const [file, text] of Object.entries(publishedChart(texts, crds, release, changesOf(notes))))
    await writeFile(join(chart, file), text);
  await run(helm, ['package', chart, '--destination', folder]);
  const rendered = await run(
    helm,
    ['template', NAME, chart, '--namespace', NAMESPACE, '--include-crds', '--kube-version', KUBERNETES],
    { maxBuffer: 2 ** 26 },
  );
  const header = `registry-token-operator ${release.version}, for Kubernetes ${KUBERNETES} or later:\nkubectl apply --server-side -f install.yaml`;
  await writeFile(join(folder, 'install.yaml'), installManifest(rendered.stdout, header));

  const homepage = projectUrl(release);
  const plugin = await makePlugin(
    join(folder, 'plugin'),
    { version: release.version, homepage },
    release.time,
  );
  for (const path of [plugin.archive, plugin.manifest]) await copyFile(path, join(folder, basename(path)));

  const sums: string[] = [];
  for (const file of Object.keys(FILES(release.version))) {
    const sum = createHash('sha256').update(await readFile(join(folder, file)));
    sums.push(`${sum.digest('hex')}  ${file}\n`);
  }
  await writeFile(join(folder, 'SHA256SUMS'), sums.join(''));
}

interface MakeOptions {
  folder: string;
  helm: string;
  changelog: string;
  section?: string;
}

const footer = (release: Release): string =>
  `Image: \`${imageRepository(release)}:${release.version}\`. [How to install it](${projectUrl(release)}/blob/v${release.version}/docs/install.md), [how to verify what you download](${projectUrl(release)}/blob/v${release.version}/SECURITY.md#verify-a-release).\n`;

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { FILES, makeFiles } from '../../scripts/release/files.ts';
import type { Release } from '../../scripts/release/names.ts';
import { describeHelm, objectsOf } from './support/helm.ts';
import { Installation } from './support/installation.ts';
import { complaints } from './support/kubernetes-schema.ts';

const RELEASE: Release = {
  version: (JSON.parse(await readFile('package.json', 'utf8')) as { version: string }).version,
  repository: 'Example/registry-token-operator',
  revision: '0'.repeat(40),
  time: 0,
};
/** What a real API server at hand may be too old for. */
const NEWER = /^(policy\/v1|admissionregistration\.k8s\.io\/v1)$/;
/** Of Artifact Hub: docs/metadata of Helm charts' annotations. */
const CATEGORIES = [
  'ai-machine-learning',
  'database',
  'integration-delivery',
  'monitoring-logging',
  'networking',
  'security',
  'storage',
  'streaming-messaging',
];
const CAPABILITIES = ['Basic Install', 'Seamless Upgrades', 'Full Lifecycle', 'Deep Insights', 'Auto Pilot'];
const CHANGES = ['added', 'changed', 'deprecated', 'removed', 'fixed', 'security'];

interface Chart {
  home: string;
  icon: string;
  sources: string[];
  maintainers: { name: string }[];
  annotations: Record<string, string>;
}

/** The static manifest, by the helm that rendered it. */
const manifests: string[] = [];

describeHelm('chart: as it is published', (helm) => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'release-'));
    const changelog = await readFile('CHANGELOG.md', 'utf8');
    await makeFiles(RELEASE, { folder, helm: helm.tools.helm, changelog, section: 'Unreleased' });
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('has the files that are promised, and their checksums', async () => {
    const files = Object.keys(FILES(RELEASE.version));
    expect(await readdir(folder)).to.include.members([...files, 'notes.md']);
    const sums = (await readFile(join(folder, 'SHA256SUMS'), 'utf8')).trim().split('\n');
    expect(sums.map((line) => line.slice(66))).to.deep.equal(files);
  });

  it('has a chart that lints strictly, and needs no values', async () => {
    const archive = join(folder, `registry-token-operator-${RELEASE.version}.tgz`);
    const lint = await helm.run(['lint', '--strict', archive]);
    expect(lint.status, lint.stdout).to.equal(0);
    expect(lint.stdout).not.to.match(/INFO|WARNING|ERROR/);
    const { stdout } = await helm.run(['template', 'pull', archive]);
    expect(stdout).to.include(`image: "ghcr.io/example/registry-token-operator:${RELEASE.version}"`);
  });

  it('tells Artifact Hub all that it shows, in its words', async () => {
    const path = join(folder, 'chart/registry-token-operator/Chart.yaml');
    const { home, icon, sources, maintainers, annotations } = parse(await readFile(path, 'utf8')) as Chart;
    for (const url of [home, icon, ...sources]) expect(url).to.match(/^https:\/\//);
    expect(maintainers).not.to.be.empty;
    const annotation = (name: string): string => annotations[`artifacthub.io/${name}`] ?? '';
    const list = (name: string): Record<string, string>[] =>
      parse(annotation(name)) as Record<string, string>[];
    expect(CATEGORIES).to.include(annotation('category'));
    expect(CAPABILITIES).to.include(annotation('operatorCapabilities'));
    for (const flag of ['operator', 'prerelease', 'containsSecurityUpdates'])
      expect(annotation(flag), flag).to.match(/^(true|false)$/);
    for (const entry of list('images')) expect(entry).to.have.all.keys('name', 'image');
    for (const entry of list('links')) expect(entry).to.have.all.keys('name', 'url');
    for (const { kind, description } of list('changes')) {
      expect(CHANGES).to.include(kind);
      expect(description).not.to.match(/[\n`]/);
    }
    const kinds = objectsOf(await readFile(join(folder, 'crds.yaml'), 'utf8'));
    expect(list('crds').map(({ name }) => name)).to.have.members(kinds.map(({ metadata }) => metadata.name));
    for (const entry of list('crds'))
      expect(entry).to.have.all.keys('kind', 'version', 'name', 'displayName', 'description');
    for (const { kind } of list('crdsExamples'))
      expect(list('crds').map((crd) => crd['kind'])).to.include(kind);
  });

  it('has one static manifest, whichever helm renders it, with nothing for Helm in it', async () => {
    manifests.push(await readFile(join(folder, 'install.yaml'), 'utf8'));
    for (const manifest of manifests) expect(manifest).to.equal(manifests[0]);
    expect(manifests[0]).not.to.match(/helm/i);
    const objects = objectsOf(manifests[0] ?? '');
    expect(objects.map(({ kind }) => kind)).to.include.members([
      'Namespace',
      'CustomResourceDefinition',
      'Deployment',
    ]);
  });

  it('has a static manifest that keeps to the schemas of Kubernetes', async () => {
    const objects = objectsOf(manifests[0] ?? '');
    expect((await Promise.all(objects.map((object) => complaints(object)))).flat()).to.deep.equal([]);
  });

  it('is taken by a real API server in one go, and again', async function () {
    const installation = await Installation.onRealServer(this, helm);
    try {
      const items = objectsOf(manifests[0] ?? '').filter(({ apiVersion }) => !NEWER.test(apiVersion));
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      for (let round = 1; round <= 2; round++) {
        // What validates here is the server: kubectl's own validation goes by what an older server says of CRDs.
        const apply = ['apply', '--server-side', '--validate=false', '--filename', '-'];
        const { status, stdout, stderr } = await installation.tryKubectl(apply, list);
        expect(status, stderr).to.equal(0);
        expect(stdout.match(/ serverside-applied$/gm)).to.have.length(items.length);
      }
    } finally {
      await installation.close();
    }
  });
});

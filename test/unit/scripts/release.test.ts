import { expect } from 'chai';
import { parse } from 'yaml';
import { changesOf, notesOf } from '../../../scripts/release/changelog.ts';
import { installManifest } from '../../../scripts/release/install-manifest.ts';
import { checkRepository, type Release } from '../../../scripts/release/names.ts';
import { obstaclesOf } from '../../../scripts/release/obstacles.ts';
import { digestIn, plan, shown, type Digests } from '../../../scripts/release/plan.ts';
import { publishedChart } from '../../../scripts/release/published-chart.ts';

const RELEASE: Release = {
  version: '1.2.3',
  repository: 'Example/Operator',
  revision: 'a'.repeat(40),
  time: 1_700_000_000,
};
const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-31

### Added

- A \`thing\` that [is
  new](docs/thing.md).

### Fixed

- One.
- Two.

## [1.2.2] - 2026-01-01

### Security

- Three.

[1.2.3]: https://example.com
`;
const DIGESTS: Digests = { builder: 'sha256:b', base: 'sha256:c', image: 'sha256:d', chart: 'sha256:e' };

describe('release: changelog', () => {
  it('gives the notes of one version', () => {
    expect(notesOf(CHANGELOG, '1.2.2')).to.equal('### Security\n\n- Three.');
  });

  const missing: [string, string, RegExp][] = [
    ['a version that is not there', '2.0.0', /has no section ## \[2\.0\.0\]/],
    ['a version without notes', 'Unreleased', /says nothing of Unreleased/],
    ['a version without a date', '1.0.0', /does not say when 1\.0\.0 is released/],
  ];
  for (const [what, version, message] of missing)
    it(`is refused for ${what}`, () => {
      expect(() => notesOf(`${CHANGELOG}\n## [1.0.0]\n\n- All.\n`, version)).to.throw(message);
    });

  it('lists changes by kind, without Markdown', () => {
    expect(changesOf(notesOf(CHANGELOG, '1.2.3'))).to.deep.equal([
      { kind: 'Added', entries: ['A thing that is new.'] },
      { kind: 'Fixed', entries: ['One.', 'Two.'] },
    ]);
  });

  it('takes the kinds of keepachangelog.com only', () => {
    expect(() => changesOf('### Improved\n\n- All.')).to.throw('Improved is none of Added');
  });
});

describe('release: what stands in its way', () => {
  const environment = {
    GITHUB_ACTIONS: 'true',
    GITHUB_REF: 'refs/tags/v1.2.3',
    GITHUB_REPOSITORY: 'Example/Operator',
  };
  const ready = { environment, changelog: CHANGELOG, dirty: false };

  it('is nothing in the workflow of its tag', () => {
    expect(obstaclesOf(RELEASE, ready)).to.deep.equal([]);
  });

  const cases: [string, Parameters<typeof obstaclesOf>[1], RegExp][] = [
    [
      'a machine that is not GitHub’s',
      { ...ready, environment: { ...environment, GITHUB_ACTIONS: undefined } },
      /push a tag/,
    ],
    [
      'another tag',
      { ...ready, environment: { ...environment, GITHUB_REF: 'refs/tags/v1.2.4' } },
      /has to be v1\.2\.3/,
    ],
    [
      'a branch',
      { ...ready, environment: { ...environment, GITHUB_REF: 'refs/heads/main' } },
      /has to be v1\.2\.3/,
    ],
    [
      'another repository',
      { ...ready, environment: { ...environment, GITHUB_REPOSITORY: 'Other/Fork' } },
      /runs for Other\/Fork/,
    ],
    ['changes that are not committed', { ...ready, dirty: true }, /not committed/],
    ['a changelog without the version', { ...ready, changelog: '' }, /has no section/],
  ];
  for (const [what, circumstances, message] of cases)
    it(`is ${what}`, () => {
      const found = obstaclesOf(RELEASE, circumstances);
      expect(found).to.have.length(1);
      expect(found[0]).to.match(message);
    });
});

describe('release: its steps', () => {
  const images = { builder: 'registry.test/node:24', base: 'registry.test/base:1' };
  const commands = plan(RELEASE, images, { files: ['install.yaml'], npm: false }).map(({ command }) =>
    shown(command(DIGESTS)),
  );
  const step = (start: string): string => {
    const [found = '', ...more] = commands.filter((command) => command.startsWith(start));
    expect(more, start).to.deep.equal([]);
    return found;
  };

  it('build on base images by digest, for both architectures, with provenance and SBOM', () => {
    const build = step('docker buildx build');
    expect(build).to.include('--platform linux/amd64,linux/arm64');
    expect(build).to.include('BUILDER=registry.test/node:24@sha256:b');
    expect(build).to.include('BASE=registry.test/base:1@sha256:c');
    expect(build).to.include('CREATED=2023-11-14T22:13:20Z');
    expect(build).to.include('--provenance mode=max --sbom true');
    expect(build).to.include('name=ghcr.io/example/operator:1.2.3,push=true');
  });

  it('sign image and chart by digest, never by tag', () => {
    expect(step('cosign sign --yes --recursive')).to.match(/ghcr\.io\/example\/operator@sha256:d$/);
    expect(commands).to.include('cosign sign --yes ghcr.io/example/charts/registry-token-operator@sha256:e');
    expect(step('cosign attest')).to.match(/@sha256:d$/);
  });

  it('create the release at GitHub last, when all else is there', () => {
    expect(commands.at(-1)).to.match(/^gh release create v1\.2\.3 --repo Example\/Operator --verify-tag /);
    expect(commands.at(-1)).to.include('dist/release/install.yaml');
    expect(commands.at(-1)).not.to.include('--prerelease');
    const candidate = plan({ ...RELEASE, version: '1.2.3-rc.1' }, images, { files: [], npm: false }).at(-1);
    expect(candidate?.command(DIGESTS)).to.include('--prerelease');
  });

  it('publish the plugin to npm where they are told to, when all else is done', () => {
    expect(commands.filter((command) => command.startsWith('npm'))).to.deep.equal([]);
    const last = plan(RELEASE, images, { files: [], npm: true }).at(-1)?.command(DIGESTS);
    expect(shown(last ?? [])).to.equal(
      'npm publish ./dist/release/plugin/package --access public --provenance',
    );
  });

  it('take digests from what programs print, and nothing for one', () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    expect(digestIn(`Pushed: x\nDigest: ${digest}\n`)).to.equal(digest);
    expect(() => digestIn('Pushed: x')).to.throw('no digest');
  });

  it('are for a repository of GitHub', () => {
    for (const name of ['', 'operator', 'a/b/c', 'a/b c', '$(id)/x', '-a/b'])
      expect(() => checkRepository(name), name).to.throw('is no OWNER/NAME');
  });
});

const DEFINITION = `
metadata: {name: things.example.com}
spec:
  names: {kind: Thing}
  versions: [{name: v1, schema: {openAPIV3Schema: {description: A thing. With more to say.}}}]
`;

describe('release: its chart', () => {
  const texts = {
    'Chart.yaml': 'name: x\nannotations: {a: b}\n',
    'values.yaml': "image:\n  # Where.\n  repository: ''\n",
  };

  it('knows the project and the image, and keeps its comments', () => {
    const published = publishedChart(texts, [DEFINITION], RELEASE, [
      { kind: 'Security', entries: ['One: two.'] },
    ]);
    const chart = parse(published['Chart.yaml']) as Record<string, unknown>;
    expect(chart).to.include({ name: 'x', home: 'https://github.com/Example/Operator' });
    const annotations = chart['annotations'] as Record<string, string>;
    expect(annotations).to.include({ a: 'b', 'artifacthub.io/containsSecurityUpdates': 'true' });
    expect(parse(annotations['artifacthub.io/crds'] ?? '')).to.deep.equal([
      {
        kind: 'Thing',
        version: 'v1',
        name: 'things.example.com',
        displayName: 'Thing',
        description: 'A thing',
      },
    ]);
    expect(parse(annotations['artifacthub.io/changes'] ?? '')).to.deep.equal([
      { kind: 'security', description: 'One: two.' },
    ]);
    expect(published['values.yaml']).to.equal(
      "image:\n  # Where.\n  repository: 'ghcr.io/example/operator'\n",
    );
  });
});

describe('release: static manifest', () => {
  const rendered = `
kind: Deployment
metadata: {name: b, namespace: n, labels: {app.kubernetes.io/managed-by: Helm, helm.sh/chart: c-1, app: x}}
---
kind: Pod
metadata: {name: t, annotations: {helm.sh/hook: test}}
---
# nothing
---
kind: CustomResourceDefinition
metadata: {name: a, annotations: {helm.sh/resource-policy: keep}}
`;

  it('brings namespace and CRDs first, and nothing that is for Helm', () => {
    const objects = installManifest(rendered, 'one\ntwo').split('\n---\n');
    expect(objects.shift()).to.equal('# one\n# two');
    expect(objects.map((text) => parse(text) as unknown)).to.deep.equal([
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name: 'registry-token-operator',
          labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
        },
      },
      { kind: 'CustomResourceDefinition', metadata: { name: 'a' } },
      { kind: 'Deployment', metadata: { name: 'b', namespace: 'n', labels: { app: 'x' } } },
    ]);
  });
});

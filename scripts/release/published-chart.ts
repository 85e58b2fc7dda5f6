import { parse, parseDocument, stringify } from 'yaml';
import type { Changes } from './changelog.ts';
import { imageRepository, projectUrl, type Release } from './names.ts';

/** The files of the chart that differ where it is published. */
export interface ChartTexts {
  'Chart.yaml': string;
  'values.yaml': string;
}

/** A CRD, as far as Artifact Hub shows it. */
interface Definition {
  metadata: { name: string };
  spec: {
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: { description: string } } }[];
  };
}

/** What the sources can't know, since whoever forks them has it elsewhere: where the image is, and the project. */
export function publishedChart(
  texts: ChartTexts,
  definitions: readonly string[],
  release: Release,
  changes: readonly Changes[],
): ChartTexts {
  const url = projectUrl(release);
  const docs = `${url}/blob/v${release.version}`;
  const image = imageRepository(release);

  const chart = parseDocument(texts['Chart.yaml']);
  chart.set('home', url);
  chart.set('sources', [url]);
  chart.set(
    'icon',
    `https://raw.githubusercontent.com/${release.repository}/v${release.version}/docs/icon.svg`,
  );
  const annotate = (name: string, value: unknown): void =>
    chart.setIn(
      ['annotations', `artifacthub.io/${name}`],
      typeof value === 'string' ? value : stringify(value),
    );
  annotate('images', [{ name: 'operator', image: `${image}:${release.version}` }]);
  annotate('links', [
    { name: 'Installing', url: `${docs}/docs/install.md` },
    { name: 'Upgrading', url: `${docs}/docs/upgrade.md` },
    { name: 'Changelog', url: `${docs}/CHANGELOG.md` },
    { name: 'support', url: `${url}/issues` },
  ]);
  annotate('crds', definitions.flatMap(shownDefinition));
  annotate('prerelease', String(release.version.includes('-')));
  annotate('containsSecurityUpdates', String(changes.some(({ kind }) => kind === 'Security')));
  annotate(
    'changes',
    changes.flatMap(({ kind, entries }) =>
      entries.map((description) => ({ kind: kind.toLowerCase(), description })),
    ),
  );

  const values = parseDocument(texts['values.yaml']);
  values.setIn(['image', 'repository'], image);
  return { 'Chart.yaml': chart.toString({ lineWidth: 0 }), 'values.yaml': values.toString({ lineWidth: 0 }) };
}

/** One entry for each version of a CRD; its description is the first sentence of the kind's. */
function shownDefinition(text: string): object[] {
  const { metadata, spec } = parse(text) as Definition;
  return spec.versions.map(({ name: version, schema }) => ({
    kind: spec.names.kind,
    version,
    name: metadata.name,
    displayName: spec.names.kind,
    description: /^[^.]*/.exec(schema.openAPIV3Schema.description)?.[0] ?? '',
  }));
}

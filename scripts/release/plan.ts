import { chartsRepository, imageRepository, type Release } from './names.ts';

/** Digests that steps told, by what they are of. */
export type Digests = Readonly<Record<'builder' | 'base' | 'image' | 'chart', string>>;

/** One program to run. What it needs of earlier steps are their digests. */
export interface Step {
  title: string;
  command: (digests: Digests) => string[];
  /** The step's output names this digest. */
  tells?: keyof Digests;
}

/** Where the files of a release are made. */
export const FOLDER = 'dist/release';
const PLATFORMS = 'linux/amd64,linux/arm64';
const REVISION_LABEL = 'org.opencontainers.image.revision';

export interface BaseImages {
  /** Names with tag, as the Dockerfile has them. */
  builder: string;
  base: string;
}

/**
 * What a release runs, once the files are in FOLDER. Nothing of it is tried again by itself: a step that was done is done again when
 * the workflow is run again, with the same result, until the GitHub release is created, which is done once.
 * @param options what people download, in FOLDER; and whether the plugin goes to npm
 */
export function plan(
  release: Release,
  images: BaseImages,
  { files, npm }: { files: readonly string[]; npm: boolean },
): Step[] {
  const { version, repository, revision, time } = release;
  const image = imageRepository(release);
  const chart = `${chartsRepository(release)}/registry-token-operator`;
  const created = new Date(time * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return [
    digestOf('builder', images.builder),
    digestOf('base', images.base),
    {
      title:
        'Build the image for both architectures and push it, with provenance and the SBOM of its file tree',
      command: ({ builder, base }) =>
        words(
          `docker buildx build . --platform ${PLATFORMS}`,
          `--build-arg BUILDER=${images.builder}@${builder} --build-arg BASE=${images.base}@${base}`,
          `--build-arg VERSION=${version} --build-arg REVISION=${revision}`,
          `--build-arg CREATED=${created} --build-arg SOURCE_DATE_EPOCH=${time}`,
          `--annotation index:${REVISION_LABEL}=${revision} --provenance mode=max --sbom true`,
          `--output type=image,name=${image}:${version},push=true,rewrite-timestamp=true`,
        ),
    },
    digestOf('image', `${image}:${version}`),
    {
      title: 'Sign the image, each architecture too',
      command: (digests) => words(`cosign sign --yes --recursive ${image}@${digests.image}`),
    },
    {
      title: 'Attach the bill of materials of the bundle',
      command: (digests) =>
        words(
          `cosign attest --yes --type cyclonedx --predicate ${FOLDER}/sbom.cdx.json`,
          `${image}@${digests.image}`,
        ),
    },
    {
      title: 'Push the chart',
      command: () =>
        words(
          `helm push ${FOLDER}/registry-token-operator-${version}.tgz oci://${chartsRepository(release)}`,
        ),
      tells: 'chart',
    },
    {
      title: 'Sign the chart',
      command: (digests) => words(`cosign sign --yes ${chart}@${digests.chart}`),
    },
    {
      title: 'Sign the checksums of the files',
      command: () =>
        words(`cosign sign-blob --yes --bundle ${FOLDER}/SHA256SUMS.sigstore.json ${FOLDER}/SHA256SUMS`),
    },
    {
      title: 'Create the release at GitHub',
      command: () =>
        words(
          `gh release create v${version} --repo ${repository} --verify-tag --title v${version}`,
          `--notes-file ${FOLDER}/notes.md${version.includes('-') ? ' --prerelease' : ''}`,
          ...[...files, 'SHA256SUMS', 'SHA256SUMS.sigstore.json'].map((file) => `${FOLDER}/${file}`),
        ),
    },
    ...(npm ? [publishedPlugin] : []),
  ];
}

function digestOf(which: keyof Digests, name: string): Step {
  return {
    title: `Look up the digest of ${name}`,
    command: () => words(`docker buildx imagetools inspect ${name} --format {{.Manifest.Digest}}`),
    tells: which,
  };
}

/** The workflow is known to npm as the package's trusted publisher, so that there is no token. */
const publishedPlugin: Step = {
  title: 'Publish the kubectl plugin to npm, with provenance',
  command: () => words(`npm publish ./${FOLDER}/plugin/package --access public --provenance`),
};

/** Nothing in a command has a space in it. */
const words = (...parts: string[]): string[] => parts.flatMap((part) => part.split(' '));

/** The digest that a program printed. @throws Error when it printed none */
export function digestIn(output: string): string {
  const [digest] = /sha256:[0-9a-f]{64}/.exec(output) ?? [];
  if (digest === undefined) throw new Error(`no digest in ${JSON.stringify(output.slice(0, 200))}`);
  return digest;
}

/** As people would type it. */
export const shown = (command: readonly string[]): string =>
  command.map((word) => (/^[-\w./:=@,]+$/.test(word) ? word : `'${word}'`)).join(' ');

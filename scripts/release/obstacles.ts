import { notesOf } from './changelog.ts';
import type { Release } from './names.ts';

/** Where a release would be published from. */
export interface Circumstances {
  /** The environment that GitHub gives its workflows. */
  environment: Readonly<Record<string, string | undefined>>;
  changelog: string;
  /** Whether there are changes that are not committed. */
  dirty: boolean;
}

/** Why a release can't be published; none when it can. */
export function obstaclesOf(
  { version, repository }: Release,
  { environment, changelog, dirty }: Circumstances,
): string[] {
  const { GITHUB_ACTIONS, GITHUB_REF, GITHUB_REPOSITORY } = environment;
  const found: string[] = [];
  if (GITHUB_ACTIONS !== 'true') found.push('this is not the release workflow of GitHub: push a tag instead');
  if (GITHUB_REF !== `refs/tags/v${version}`)
    found.push(`the version in package.json is ${version}: the tag has to be v${version}`);
  if (GITHUB_REPOSITORY !== repository) found.push(`this runs for ${GITHUB_REPOSITORY ?? 'no repository'}`);
  if (dirty) found.push('there are changes that are not committed');
  try {
    notesOf(changelog, version);
  } catch (error) {
    found.push((error as Error).message);
  }
  return found;
}

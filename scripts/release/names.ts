/** What a release is made of, and where it goes. */
export interface Release {
  version: string;
  /** The repository at GitHub: OWNER/NAME. */
  repository: string;
  /** The commit's hash. */
  revision: string;
  /** Of the commit: seconds since 1970. */
  time: number;
}

const REGISTRY = 'ghcr.io';
const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/;

/** @throws Error for what is no OWNER/NAME */
export function checkRepository(repository: string): string {
  if (!REPOSITORY.test(repository))
    throw new Error(`${JSON.stringify(repository)} is no OWNER/NAME of GitHub`);
  return repository;
}

/** Registries take lower case only. */
export const imageRepository = ({ repository }: Pick<Release, 'repository'>): string =>
  `${REGISTRY}/${repository.toLowerCase()}`;

/** Where the chart's archive is pushed; its name follows. */
export const chartsRepository = ({ repository }: Pick<Release, 'repository'>): string => {
  const [owner = ''] = repository.toLowerCase().split('/');
  return `${REGISTRY}/${owner}/charts`;
};

export const projectUrl = ({ repository }: Pick<Release, 'repository'>): string =>
  `https://github.com/${repository}`;

import { firstOf } from '../../api/syntax/text.ts';
import type { Column } from '../output/table.ts';
import { plain } from '../output/table.ts';
import type { DependentWorkload, WhenRevoked, WhenRotated } from './impact.ts';

/** All that depends on the Secret of a RegistryToken. */
export interface ImpactReport {
  kind: 'ImpactReport';
  registryToken: { namespace: string; name: string };
  secret: string;
  /** Registries that it has credentials for; absent before the first token. */
  hosts?: readonly string[];
  /** That name the Secret, so that pods that come later have it; absent where they may not be listed. */
  serviceAccounts?: readonly string[];
  summary: { pods: number; waiting: number; images: number };
  workloads: readonly DependentWorkload[];
  /** Pods of more workloads than are told. */
  morePods?: number;
}

const ROTATED: Readonly<Record<WhenRotated, string>> = {
  NextPull: 'its next pull takes the new token',
  FilesFollow: 'its files get the new token in a minute or two, except those mounted by subPath',
  RecreatePods: 'its environment keeps the previous token: recreate the pods before that ends',
};
const REVOKED: Readonly<Record<WhenRevoked, string>> = {
  GoesOn: 'it goes on: it never pulls',
  NeedsImageOnNode: 'new containers start only on nodes that have the image',
  PullsFail: 'new containers do not start, and neither do those that restart',
  LosesAccess: 'the registry refuses what it mounts or has in its environment',
};

/** Images and Secrets of a cell. */
const MAX_NAMED = 3;

export const IMPACT_COLUMNS: readonly Column<DependentWorkload>[] = [
  { header: 'WORKLOAD', cell: ({ kind, name }) => `${kind}/${name}` },
  { header: 'PODS', cell: ({ pods }) => String(pods) },
  { header: 'WAITING', cell: ({ waiting }) => String(waiting) },
  { header: 'VIA', cell: ({ via }) => firstOf(via, MAX_NAMED) },
  { header: 'WHEN ROTATED', cell: ({ whenRotated }) => whenRotated.join(', ') },
  { header: 'WHEN REVOKED', cell: ({ whenRevoked }) => whenRevoked.join(', ') },
  { header: 'OTHER SECRETS', cell: ({ otherSecrets }) => firstOf(otherSecrets, MAX_NAMED), wide: true },
  { header: 'IMAGES', cell: ({ images }) => firstOf(images, MAX_NAMED) },
];

/** What stands above the table. */
export function impactHead({ secret, hosts, serviceAccounts, summary, morePods }: ImpactReport): string {
  const { pods, waiting, images } = summary;
  const lines = [
    `Secret ${secret}: ${hosts ? `credentials for ${hosts.join(', ')}` : 'there is no token in it yet'}`,
    ...(serviceAccounts
      ? [`ServiceAccounts that give it to pods: ${firstOf(serviceAccounts, MAX_NAMED) || 'none'}`]
      : []),
    `${pods} pods depend on it for ${images} images, and ${waiting} of them wait for it`,
    ...(morePods === undefined ? [] : [`${morePods} of the pods belong to more workloads than are listed`]),
  ];
  return lines.map((line) => `${plain(line)}\n`).join('');
}

/** What the words mean that the table has under WHEN ROTATED and WHEN REVOKED. */
export function impactLegend(workloads: readonly DependentWorkload[]): string {
  const rotated = new Set(workloads.flatMap(({ whenRotated }) => whenRotated));
  const revoked = new Set(workloads.flatMap(({ whenRevoked }) => whenRevoked));
  const lines = [
    ...[...rotated].sort().map((word) => `${word}: ${ROTATED[word]}.`),
    ...[...revoked].sort().map((word) => `${word}: ${REVOKED[word]}.`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

import type { RegistryToken } from '../../api/registry-token.ts';
import type { Command } from '../command.ts';
import { age } from '../output/human-time.ts';
import { FORMATS, renderListing, renderObject, shown, type Listing } from '../output/listing.ts';
import type { Column } from '../output/table.ts';
import { readyStatus } from '../ready.ts';
import { selectedTokens, tokenTitle } from '../selected-tokens.ts';

/** Of RegistryTokens, the printer columns of the CRD. @param now milliseconds since 1970 */
export function tokenColumns(now: number, withNamespace: boolean): readonly Column<RegistryToken>[] {
  const rotation = (token: RegistryToken): string =>
    token.spec.suspend === true ? '' : (token.status?.nextRotationTime ?? '');
  const columns: readonly Column<RegistryToken>[] = [
    ...(withNamespace
      ? [{ header: 'NAMESPACE', cell: ({ metadata }: RegistryToken) => metadata.namespace ?? '' }]
      : []),
    { header: 'NAME', cell: ({ metadata }) => metadata.name },
    { header: 'READY', cell: (token) => readyStatus(token) },
    { header: 'STATUS', cell: ({ status }) => status?.reason ?? '' },
    { header: 'SECRET', cell: ({ status }) => status?.secretRef?.name ?? '' },
    { header: 'EXPIRES', cell: ({ status }) => (status?.token ? (status.token.expiresAt ?? 'Never') : '') },
    { header: 'NEXT ROTATION', cell: rotation },
    { header: 'ACCOUNT', cell: ({ spec }) => spec.accountRef?.name ?? 'default', wide: true },
    { header: 'REGION', cell: ({ status }) => status?.region ?? '', wide: true },
    { header: 'ACCESS', cell: ({ status }) => status?.token?.access ?? '', wide: true },
    { header: 'HOST', cell: ({ status }) => status?.host ?? '', wide: true },
    { header: 'REVISION', cell: ({ status }) => String(status?.token?.revision ?? ''), wide: true },
    { header: 'AGE', cell: ({ metadata }) => age(metadata.creationTimestamp, now) },
  ];
  // kubectl shows nothing where a custom resource has nothing.
  return columns.map((column) => ({ ...column, empty: '' }));
}

export const GET: Command = {
  name: 'get',
  arguments: [
    {
      name: '[NAME]',
      about: 'of a RegistryToken; default: all of the namespace',
      completes: 'RegistryTokens',
    },
  ],
  summary: 'List RegistryTokens, or show one',
  examples: [
    { to: 'List the RegistryTokens of a namespace', run: 'kubectl registrytoken get -n team-a' },
    {
      to: 'List all of the cluster, with account, host and access',
      run: 'kubectl registrytoken get -A -o wide',
    },
    { to: 'Show one as YAML', run: 'kubectl registrytoken get app-pull -n team-a -o yaml' },
  ],
  formats: FORMATS,
  allNamespaces: true,
  async run(context, { args: [name] }) {
    const { format, terminal, clock, allNamespaces } = context;
    const rows = await selectedTokens(context, name);
    const [only] = rows;
    if (name !== undefined && only && (format === 'json' || format === 'yaml'))
      return terminal.write(renderObject(shown(only), format));
    const listing: Listing<RegistryToken> = {
      columns: tokenColumns(clock.now(), allNamespaces),
      rows,
      object: shown,
      name: tokenTitle,
    };
    terminal.write(renderListing(listing, format));
  },
};

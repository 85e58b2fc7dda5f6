import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../api/resources.ts';
import type { TableColumn, TableRow } from '../../kube/client/client.ts';
import type { Command } from '../command.ts';
import { listedNamespace, type Context } from '../context.ts';
import { FORMATS, renderListing, renderObject, shown } from '../output/listing.ts';
import { table, type Column } from '../output/table.ts';
import { assertOnePlace, noTokens, selectedTokens, tokenTitle } from '../selected-tokens.ts';

/** The columns of a table of the API server, as kubectl shows them: nothing where an object has nothing. */
export function columnsOf(
  columns: readonly TableColumn[],
  { isWide, withNamespace }: { isWide: boolean; withNamespace: boolean },
): Column<TableRow>[] {
  const namespace = { header: 'NAMESPACE', cell: ({ object }: TableRow) => object.metadata.namespace ?? '' };
  const all = columns.map(({ name, priority }, at) => ({
    header: name.toUpperCase(),
    cell: ({ cells }: TableRow) => String(cells[at] ?? ''),
    empty: '',
    isShown: priority === 0 || isWide,
  }));
  return [...(withNamespace ? [namespace] : []), ...all.filter(({ isShown }) => isShown)];
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
    const { format, terminal } = context;
    if (format === 'table' || format === 'wide') return showTable(context, name);
    const rows = await selectedTokens(context, name);
    const [only] = rows;
    if (name !== undefined && only && (format === 'json' || format === 'yaml'))
      return terminal.write(renderObject(shown(only), format));
    const listing = { columns: [], rows, object: shown<RegistryToken>, name: tokenTitle };
    terminal.write(renderListing(listing, format));
  },
};

/** The API server makes the table, so that its columns are those of the CRD that it has. */
async function showTable(context: Context, name: string | undefined): Promise<void> {
  const { client, signal, terminal, allNamespaces, format } = context;
  assertOnePlace(context, name);
  const selection =
    name === undefined ? { namespace: listedNamespace(context) } : { namespace: context.namespace, name };
  const { columns, rows } = await client.table(REGISTRY_TOKENS, selection, { signal });
  if (rows.length === 0) return noTokens(context);
  const shape = { isWide: format === 'wide', withNamespace: allNamespaces };
  terminal.write(table(columnsOf(columns, shape), rows));
}

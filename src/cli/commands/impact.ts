import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../api/resources.ts';
import { PODS } from '../../kube/client/resources.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import type { Pod } from '../../token/workloads/pods.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { Impact } from '../impact/impact.ts';
import { IMPACT_COLUMNS, impactHead, impactLegend, type ImpactReport } from '../impact/impact-view.ts';
import { renderListing, renderObject } from '../output/listing.ts';
import { scan } from '../scan.ts';
import { see } from '../seen.ts';
import { serviceAccountsNaming } from '../service-accounts.ts';

export const IMPACT: Command = {
  name: 'impact',
  arguments: [{ name: '<NAME>', about: 'of a RegistryToken', completes: 'RegistryTokens' }],
  summary: "List what depends on a RegistryToken's Secret, and what rotating or revoking means for it",
  about: `Lists the workloads whose pods pull images with the Secret, mount it, or have it in their environment: through a ServiceAccount or by themselves. Needs the right to list pods of the namespace.`,
  examples: [
    {
      to: 'See what a leaked token can be revoked without',
      run: 'kubectl registrytoken impact app-pull -n team-a',
    },
    {
      to: 'Name the images that need it',
      run: `kubectl registrytoken impact app-pull -n team-a -o json | jq -r '.workloads[].images[]'`,
    },
  ],
  formats: ['table', 'wide', 'json', 'yaml'],
  async run(context, { args: [name = ''] }) {
    const { terminal, format } = context;
    const report = await readImpact(context, name);
    if (format === 'json' || format === 'yaml') return terminal.write(renderObject(report, format));
    const { workloads } = report;
    terminal.write(impactHead(report));
    if (workloads.length === 0) return;
    const listing = { columns: IMPACT_COLUMNS, rows: workloads, object: Object, name: String };
    terminal.write(`\n${renderListing(listing, format)}\n${impactLegend(workloads)}`);
  },
};

async function readImpact(context: Context, name: string): Promise<ImpactReport> {
  const { client, namespace, signal, terminal } = context;
  const token = await client.get<RegistryToken>(REGISTRY_TOKENS, { namespace, name }, { signal });
  const secret = token.status?.secretRef?.name ?? wantedSecret(token);
  const host = token.status?.host;
  const hosts = host === undefined ? undefined : [host, ...(token.spec.secret?.extraHosts ?? [])];
  const accounts = await see(serviceAccountsNaming(context, secret));
  if ('unseen' in accounts) terminal.tell(`${accounts.unseen}: ServiceAccounts are left out\n`);
  const known = 'value' in accounts ? accounts.value : [];
  const exists = token.status?.token !== undefined;
  let impact = new Impact({ name: secret, hosts, exists }, known);
  await scan(client, PODS, { namespace, signal }, () => {
    impact = new Impact({ name: secret, hosts, exists }, known);
    return (pod) => impact.add(pod as Pod);
  });
  const { workloads, morePods } = impact;
  const sum = (of: 'pods' | 'waiting'): number => workloads.reduce((all, each) => all + each[of], 0);
  return {
    kind: 'ImpactReport',
    registryToken: { namespace, name },
    secret,
    ...(hosts && { hosts }),
    ...('value' in accounts && { serviceAccounts: known.map(({ metadata }) => metadata.name) }),
    summary: {
      pods: sum('pods') + morePods,
      waiting: sum('waiting'),
      images: new Set(workloads.flatMap(({ images }) => images)).size,
    },
    workloads,
    ...(morePods > 0 && { morePods }),
  };
}

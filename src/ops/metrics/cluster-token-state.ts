import { Gauge, type Registry } from 'prom-client';
import type { ClusterRegistryToken } from '../../api/cluster-registry-token.ts';

const STATES = ['matching', 'ready', 'failed'] as const;

/**
 * Adds in how many namespaces ClusterRegistryTokens are as they are to be. Made at each scrape, so that no series outlives its
 * object.
 * @param list the ClusterRegistryTokens known now; called at each scrape
 */
export function addClusterTokenState(registry: Registry, list: () => Iterable<ClusterRegistryToken>): void {
  void new Gauge({
    name: 'registrytoken_cluster_namespaces',
    help: 'Namespaces that match a ClusterRegistryToken, those of them whose RegistryToken is Ready, and those where it failed.',
    labelNames: ['name', 'state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { metadata, status } of list())
        for (const state of STATES)
          this.set({ name: metadata.name, state }, status?.namespaces?.[state] ?? 0);
    },
  });
}

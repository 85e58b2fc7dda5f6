import { Gauge, type Registry } from 'prom-client';
import { findCondition } from '../../api/conditions.ts';
import type { RegistryAccount } from '../../api/registry-account.ts';

/**
 * Adds whether RegistryAccounts work, and why not. Made at each scrape: an account has one series, with the reason it has
 * then.
 * @param list the RegistryAccounts known now; called at each scrape
 */
export function addAccountState(registry: Registry, list: () => Iterable<RegistryAccount>): void {
  void new Gauge({
    name: 'registrytoken_account_ready',
    help: "Whether the RegistryAccount's credentials work (1) or not (0), and the reason its Ready condition gives.",
    labelNames: ['account', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { metadata, status } of list()) {
        const ready = findCondition(status?.conditions, 'Ready');
        const labels = { account: metadata.name, reason: ready?.reason ?? 'NotTriedYet' };
        this.set(labels, ready?.status === 'True' ? 1 : 0);
      }
    },
  });
}

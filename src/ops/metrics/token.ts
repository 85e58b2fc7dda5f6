import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * What a counter's label can say. Each counter is there at 0 before it counts, since Prometheus takes one that appears at 1
 * for no increase.
 */
export const MINT_REASONS = [
  'FirstIssue',
  'SpecChanged',
  'PlaceChanged',
  'RotationRequested',
  'AccountRotation',
  'TokenLost',
  'TokenExpired',
  'RenewalDue',
  'RotationDue',
] as const;
export const REVOCATION_RESULTS = ['success', 'failure', 'abandoned'] as const;
export const REPAIR_KINDS = ['SecretMissing', 'SecretAltered', 'SecretOutdated'] as const;

/** What was done for RegistryTokens, and what the sweeps found. */
export class TokenMetrics {
  readonly #mints: Counter<'reason'>;
  readonly #revocations: Counter<'result'>;
  readonly #repairs: Counter<'kind'>;
  readonly #orphans: RegionGauge;
  readonly #unknown: RegionGauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#mints = new Counter({
      name: 'registrytoken_mints_total',
      help: 'Tokens created at a registry, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.#revocations = new Counter({
      name: 'registrytoken_revocations_total',
      help: 'Tokens revoked at a registry, or tried to, by result.',
      labelNames: ['result'],
      registers,
    });
    this.#repairs = new Counter({
      name: 'registrytoken_secret_repairs_total',
      help: 'Secrets put right after somebody changed or deleted them, by kind of damage.',
      labelNames: ['kind'],
      registers,
    });
    this.#orphans = new RegionGauge(
      'registrytoken_orphan_tokens',
      'Tokens with our tag that nothing in the cluster uses, as the last sweep found them.',
      registry,
    );
    this.#unknown = new RegionGauge(
      'registrytoken_unknown_tokens',
      "Tokens with our tag, of RegistryTokens here, that were not created here: another cluster works with this one's id.",
      registry,
    );
    for (const reason of MINT_REASONS) this.#mints.inc({ reason }, 0);
    for (const result of REVOCATION_RESULTS) this.#revocations.inc({ result }, 0);
    for (const kind of REPAIR_KINDS) this.#repairs.inc({ kind }, 0);
  }

  minted(reason: string): void {
    this.#mints.inc({ reason });
  }

  revoked(result: string): void {
    this.#revocations.inc({ result });
  }

  repaired(kind: string): void {
    this.#repairs.inc({ kind });
  }

  orphans(account: string, byRegion: ReadonlyMap<string, number>): void {
    this.#orphans.replace(account, byRegion);
  }

  unknownTokens(account: string, byRegion: ReadonlyMap<string, number>): void {
    this.#unknown.replace(account, byRegion);
  }
}

/** A number for each region of each account. */
class RegionGauge {
  readonly #gauge: Gauge<'account' | 'region'>;
  readonly #regions = new Map<string, readonly string[]>();

  constructor(name: string, help: string, registry: Registry) {
    this.#gauge = new Gauge({ name, help, labelNames: ['account', 'region'], registers: [registry] });
  }

  /** Replaces an account's numbers; none at all when the account is gone. */
  replace(account: string, byRegion: ReadonlyMap<string, number>): void {
    for (const region of this.#regions.get(account) ?? []) this.#gauge.remove({ account, region });
    this.#regions.delete(account);
    if (byRegion.size > 0) this.#regions.set(account, [...byRegion.keys()]);
    for (const [region, count] of byRegion) this.#gauge.set({ account, region }, count);
  }
}

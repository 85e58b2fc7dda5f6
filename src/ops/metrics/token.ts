import { Counter, Gauge, type Registry } from 'prom-client';
import { findCondition } from '../../api/conditions.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { fromTime } from '../../api/time.ts';
import type { Clock } from '../../common/clock.ts';

/** A rotation or revocation that is later than this is overdue; in milliseconds. */
const TOLERANCE = 120_000;

/**
 * What RegistryTokens look like and what was done for them. The series per object are made at each scrape from the objects
 * there are, so that none outlives its object.
 */
export class TokenMetrics {
  readonly #mints: Counter<'reason'>;
  readonly #revocations: Counter<'result'>;
  readonly #repairs: Counter<'kind'>;
  readonly #orphans: Gauge<'account' | 'region'>;
  readonly #orphanRegions = new Map<string, readonly string[]>();

  /** @param list the RegistryTokens known now; called at each scrape */
  constructor(registry: Registry, clock: Clock, list: () => Iterable<RegistryToken>) {
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
    this.#orphans = new Gauge({
      name: 'registrytoken_orphan_tokens',
      help: 'Tokens with our tag that nothing in the cluster uses, as the last sweep found them.',
      labelNames: ['account', 'region'],
      registers,
    });
    addObjectGauges(registry, list);
    addOverdueGauges(registry, clock, list);
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

  /** Replaces an account's numbers of orphans by region; none at all when the account is gone. */
  orphans(account: string, byRegion: ReadonlyMap<string, number>): void {
    for (const region of this.#orphanRegions.get(account) ?? []) this.#orphans.remove({ account, region });
    this.#orphanRegions.delete(account);
    if (byRegion.size > 0) this.#orphanRegions.set(account, [...byRegion.keys()]);
    for (const [region, count] of byRegion) this.#orphans.set({ account, region }, count);
  }
}

function addObjectGauges(registry: Registry, list: () => Iterable<RegistryToken>): void {
  const perObject = (
    name: string,
    help: string,
    read: (token: RegistryToken) => number | undefined,
  ): void => {
    void new Gauge({
      name,
      help,
      labelNames: ['namespace', 'name'],
      registers: [registry],
      collect() {
        this.reset();
        for (const token of list()) {
          const value = read(token);
          const { namespace = '', name: object } = token.metadata;
          if (value !== undefined) this.set({ namespace, name: object }, value);
        }
      },
    });
  };
  perObject('registrytoken_ready', 'Whether the RegistryToken is Ready (1) or not (0).', (token) =>
    findCondition(token.status?.conditions, 'Ready')?.status === 'True' ? 1 : 0,
  );
  perObject(
    'registrytoken_expiry_timestamp_seconds',
    'When the token in the Secret expires; none for one that does not.',
    (token) => seconds(token.status?.token?.expiresAt),
  );
  perObject(
    'registrytoken_next_rotation_timestamp_seconds',
    'When the token is to be replaced; none when that is not planned.',
    (token) => seconds(token.status?.nextRotationTime),
  );
}

function addOverdueGauges(registry: Registry, clock: Clock, list: () => Iterable<RegistryToken>): void {
  const overdue = (
    name: string,
    help: string,
    due: (token: RegistryToken) => (string | undefined)[],
  ): void => {
    void new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const limit = clock.now() - TOLERANCE;
        let count = 0;
        for (const token of list()) {
          if (due(token).some((time) => (fromTime(time) ?? Infinity) < limit)) count++;
        }
        this.set(count);
      },
    });
  };
  overdue(
    'registrytoken_rotation_overdue',
    'RegistryTokens whose rotation is more than two minutes late.',
    (token) => (token.spec.suspend ? [] : [token.status?.nextRotationTime]),
  );
  overdue(
    'registrytoken_revocation_overdue',
    'RegistryTokens with a replaced token that should have been revoked more than two minutes ago.',
    (token) => token.status?.previousTokens?.map((previous) => previous.revokeAt) ?? [],
  );
}

function seconds(time: string | undefined): number | undefined {
  const milliseconds = fromTime(time);
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

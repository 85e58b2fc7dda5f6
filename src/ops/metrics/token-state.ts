import { Gauge, type Registry } from 'prom-client';
import { findCondition, type ConditionType } from '../../api/conditions.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { fromTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';

type Tokens = () => Iterable<RegistryToken>;

/** A rotation or revocation that is later than this is overdue; in milliseconds. */
const TOLERANCE = 120_000;

/**
 * Adds what RegistryTokens look like. The series are made at each scrape from the objects there are, so that none outlives
 * its object.
 * @param list the RegistryTokens known now; called at each scrape
 */
export function addTokenState(registry: Registry, clock: Clock, list: Tokens): void {
  addObjects(registry, list);
  addConditions(registry, list);
  addOverdue(registry, clock, list);
}

function addObjects(registry: Registry, list: Tokens): void {
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
    'registrytoken_issued_timestamp_seconds',
    'When the token in the Secret was created at the registry.',
    (token) => seconds(token.status?.token?.issuedAt),
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
  perObject(
    'registrytoken_pods_using',
    'Pods that use the Secret; none where pods are not counted.',
    (token) => token.status?.pods?.using,
  );
  perObject(
    'registrytoken_pods_waiting',
    'Pods that wait for the Secret, or for a token in it that works; none where pods are not counted.',
    (token) => token.status?.pods?.waiting,
  );
}

/** Series of conditions at most, since whoever may write a status can make up reasons; there are some tens. */
const MAX_CONDITIONS = 200;
/** Others may add types of their own. */
const TYPES: readonly string[] = [
  'Ready',
  'Reconciling',
  'Stalled',
  'RevocationPending',
] satisfies ConditionType[];

function addConditions(registry: Registry, list: Tokens): void {
  void new Gauge({
    name: 'registrytoken_conditions',
    help: 'RegistryTokens that have a condition, by its type, status and reason.',
    labelNames: ['type', 'status', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      const seen = new Set<string>();
      for (const token of list()) {
        for (const { type, status, reason } of token.status?.conditions ?? []) {
          if (!TYPES.includes(type)) continue;
          const series = JSON.stringify([type, status, reason]);
          if (seen.size < MAX_CONDITIONS) seen.add(series);
          this.inc({ type, status, reason: seen.has(series) ? reason : 'Other' });
        }
      }
    },
  });
}

function addOverdue(registry: Registry, clock: Clock, list: Tokens): void {
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

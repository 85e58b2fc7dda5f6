import type { Condition } from '../../api/conditions.ts';
import { accountName, type PreviousToken, type RegistryToken } from '../../api/registry-token.ts';
import { isPattern } from '../../api/syntax/pattern.ts';
import { toTime } from '../../api/syntax/time.ts';
import { revocationTime } from '../../token/lifecycle/previous-tokens.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import { belongsTo, heldToken, type Secret } from '../../token/secret/secret.ts';
import { needsOf, usesSecret, waitsForSecret } from '../../token/workloads/secret-use.ts';
import { includesServiceAccount } from '../../token/workloads/service-accounts.ts';
import { readDockerConfig } from '../pull-secrets/docker-config.ts';
import { tellerOf } from '../pull-secrets/told-texts.ts';
import { readyCondition, readyStatus } from '../ready.ts';
import { seenAs, type Seen } from '../seen.ts';
import type { Event, Observation } from './observation.ts';

/** What a Secret really holds. Never a value. */
export interface SecretReport {
  /**
   * `Current`: the token of the status. `Other`: another token that the operator wrote. `Edited`: not what the operator wrote.
   * `Foreign`: it was not made for this RegistryToken. `Absent`: there is none.
   */
  state: 'Current' | 'Other' | 'Edited' | 'Foreign' | 'Absent';
  tokenId?: string;
  hosts: { host: string; user: string }[];
  /** Why kubelet can't read it. */
  flaw?: string;
}

export interface ServiceAccountReport {
  name: string;
  /** Whether it has the Secret among its pull secrets. */
  state: 'Linked' | 'NotLinked' | 'Absent';
}

export interface PodsReport {
  using: string[];
  waiting: string[];
}

export interface EventReport {
  time: string;
  type: string;
  reason: string;
  note: string;
  count: number;
}

/** How a RegistryToken is, and all around it. Times in RFC 3339. */
export interface StatusReport {
  namespace: string;
  name: string;
  ready: Condition['status'];
  reason: string;
  message: string;
  suspended: boolean;
  /** Whether the operator has not looked at the present spec yet. */
  outdated: boolean;
  conditions: { type: string; reason: string; message: string }[];
  token?: {
    id: string;
    revision: number;
    access: string;
    scope: readonly string[];
    issuedAt: string;
    /** `Never` for a token that does not expire. */
    expiresAt: string;
    revocable: boolean;
  };
  nextRotationTime?: string;
  nextRetryTime?: string;
  account: { name: string; region: string; state: Seen<AccountReport | undefined> };
  secret: { name: string; state: Seen<SecretReport> };
  previousTokens: { id: string; revision: number; endsAt: string; lastError?: string }[];
  serviceAccounts: Seen<ServiceAccountReport[]>;
  pods: Seen<PodsReport>;
  events: Seen<EventReport[]>;
}

export interface AccountReport {
  ready: Condition['status'];
  reason: string;
  message: string;
}

/** Events that are shown, the latest. */
const MAX_EVENTS = 8;

/** What an observation comes to. */
export function statusReport(observation: Observation): StatusReport {
  const { token, account, secret, serviceAccounts, pods, events } = observation;
  const { metadata, spec, status = {} } = token;
  const ready = readyCondition(token);
  const { token: record, nextRotationTime, nextRetryTime, previousTokens = [] } = status;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    ready: readyStatus(token),
    reason: status.reason ?? '',
    message: ready?.message ?? '',
    suspended: spec.suspend === true,
    outdated: (status.observedGeneration ?? 0) < (metadata.generation ?? 0),
    conditions: (status.conditions ?? []).map(({ type, reason, message }) => ({ type, reason, message })),
    ...(record && {
      token: {
        id: record.id,
        revision: record.revision,
        access: record.access,
        scope: record.scope ?? [],
        issuedAt: record.issuedAt,
        expiresAt: record.expiresAt ?? 'Never',
        revocable: record.revocable !== false,
      },
    }),
    ...(nextRotationTime !== undefined && spec.suspend !== true && { nextRotationTime }),
    ...(nextRetryTime !== undefined && { nextRetryTime }),
    account: {
      name: accountName(spec),
      region: status.region ?? spec.region ?? '',
      state: seenAs(
        account,
        (found) =>
          found && {
            ready: readyStatus(found),
            reason: found.status?.reason ?? '',
            message: readyCondition(found)?.message ?? '',
          },
      ),
    },
    secret: { name: wantedSecret(token), state: seenAs(secret, (found) => secretReport(token, found)) },
    previousTokens: previousTokens.map(previousReport),
    serviceAccounts: seenAs(serviceAccounts, (all) => serviceAccountReports(token, all)),
    pods: seenAs(pods, (all) => podsReport(observation, all)),
    events: seenAs(events, eventReports),
  };
}

function secretReport({ metadata, status }: RegistryToken, secret: Secret | undefined): SecretReport {
  if (!secret) return { state: 'Absent', hosts: [] };
  const config = readDockerConfig(secret);
  const entries = 'entries' in config ? config.entries : [];
  const told = tellerOf(entries);
  const hosts = entries.map(({ key, username }) => ({ host: told(key), user: told(username) }));
  const rest = { hosts, ...('flaw' in config && { flaw: config.flaw }) };
  if (!belongsTo(secret, metadata.uid)) return { state: 'Foreign', ...rest };
  const tokenId = heldToken(secret);
  if (tokenId === undefined) return { state: 'Edited', ...rest };
  return { state: tokenId === status?.token?.id ? 'Current' : 'Other', tokenId, ...rest };
}

function previousReport(previous: PreviousToken): StatusReport['previousTokens'][number] {
  const { id, revision, lastError } = previous;
  return {
    id,
    revision,
    endsAt: toTime(revocationTime(previous)),
    ...(lastError !== undefined && { lastError }),
  };
}

function serviceAccountReports(
  token: RegistryToken,
  all: Extract<Observation['serviceAccounts'], { value: unknown }>['value'],
): ServiceAccountReport[] {
  const secret = wantedSecret(token);
  const entries = [...(token.spec.serviceAccounts ?? []), ...(token.status?.serviceAccounts ?? [])];
  const found = all
    .map(({ metadata }) => metadata.name)
    .filter((name) => includesServiceAccount(entries, name));
  const names = new Set([...entries.filter((entry) => !isPattern(entry)), ...found]);
  return [...names].sort().map((name) => {
    const account = all.find(({ metadata }) => metadata.name === name);
    const linked = account?.imagePullSecrets?.some((each) => each.name === secret) ?? false;
    return { name, state: account ? (linked ? 'Linked' : 'NotLinked') : 'Absent' };
  });
}

function podsReport(
  { token, secret }: Observation,
  pods: Extract<Observation['pods'], { value: unknown }>['value'],
): PodsReport {
  const held = 'value' in secret ? secret.value : undefined;
  const config = held && readDockerConfig(held);
  const hosts = config && 'entries' in config ? config.entries.flatMap(({ host }) => host ?? []) : undefined;
  const exists = 'value' in secret ? secret.value !== undefined : token.status?.secretRef !== undefined;
  const wanted = { name: wantedSecret(token), hosts, exists };
  const report: PodsReport = { using: [], waiting: [] };
  for (const pod of pods) {
    const needs = needsOf(pod);
    if (!needs) continue;
    if (waitsForSecret(needs, wanted)) report.waiting.push(pod.metadata.name);
    else if (usesSecret(needs, wanted)) report.using.push(pod.metadata.name);
  }
  return report;
}

function eventReports(events: readonly Event[]): EventReport[] {
  return events
    .map(({ eventTime, deprecatedLastTimestamp, series, type = '', reason = '', note = '' }) => ({
      time: series?.lastObservedTime ?? eventTime ?? deprecatedLastTimestamp ?? '',
      type,
      reason,
      note,
      count: series?.count ?? 1,
    }))
    .toSorted((a, b) => a.time.localeCompare(b.time))
    .slice(-MAX_EVENTS);
}

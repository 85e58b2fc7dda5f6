/** What an API server holds of team-a in the tests of the plugin, at 2026-11-30T12:00:00Z. */
import type { RegistryAccount } from '../../../../src/api/registry-account.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../../../src/api/registry-token.ts';
import { readTokenSpec } from '../../../../src/api/registry-token.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import { conditionsOf } from '../../../../src/token/lifecycle/conditions.ts';
import { describeIssued } from '../../../../src/token/lifecycle/token-record.ts';
import { secretManifest, type Secret } from '../../../../src/token/secret/secret.ts';
import { anAccount, aToken, type Part } from '../../../support/builders.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { forbidden, listOf, type Answers } from './cli-stage.ts';

export const TOKENS = '/apis/pullsecrets.dev/v1alpha1/namespaces/team-a/registrytokens';
export const ACCOUNTS = '/apis/pullsecrets.dev/v1alpha1/registryaccounts';
const CORE = '/api/v1/namespaces/team-a';
export const SECRET = `${CORE}/secrets/app-pull`;
const PODS = `${CORE}/pods`;
const SERVICE_ACCOUNTS = `${CORE}/serviceaccounts`;
const EVENTS = '/apis/events.k8s.io/v1/namespaces/team-a/events';
export const VALUE = 'the-value-of-the-token-1234';
registerSecret(VALUE);

const NOW = Date.UTC(2026, 10, 30, 12);
const PLACE = { endpoint: 'https://us.icr.io', identity: 'account-1', provider: 'ibmCloud' };

const STATUS: RegistryTokenStatus = {
  observedGeneration: 1,
  reason: 'Issued',
  host: 'us.icr.io',
  region: 'us-south',
  token: {
    id: 'token-3',
    access: 'ReadOnly',
    scope: ['team-a'],
    issuedAt: '2026-11-30T10:00:00Z',
    expiresAt: '2026-12-01T10:00:00Z',
    revision: 3,
    specHash: 'hash',
    account: 'default',
    region: 'us-south',
    place: PLACE,
  },
  previousTokens: [
    {
      id: 'token-2',
      revision: 2,
      account: 'default',
      region: 'us-south',
      place: PLACE,
      revokeAt: '2026-11-30T12:30:00Z',
    },
  ],
  nextRotationTime: '2026-12-01T02:00:00Z',
  serviceAccounts: ['default'],
  secretRef: { name: 'app-pull', uid: 'secret-uid' },
};

/** One that is Ready, as the operator says it: its token was issued at 10:00 for a day. */
export function readyToken(part: Part<RegistryToken> = {}): RegistryToken {
  const [ready] = conditionsOf({
    status: STATUS,
    spec: readTokenSpec(aToken({ metadata: { name: 'app-pull' } })),
    wanted: undefined,
    secretHolds: true,
    outcome: { kind: 'done' },
    now: NOW,
    registryNow: NOW,
  });
  return aToken({
    ...part,
    metadata: {
      name: 'app-pull',
      namespace: 'team-a',
      creationTimestamp: '2026-11-30T09:59:00Z',
      ...part.metadata,
    },
    spec: { scope: ['team-a'], serviceAccounts: ['default'], ...part.spec },
    status: {
      ...STATUS,
      conditions: [{ ...ready!, lastTransitionTime: '2026-11-30T10:00:00Z' }],
      ...part.status,
    },
  });
}

/** What the event says of that token, which was asked for. */
export const ROTATED = `RotationRequested: Secret app-pull holds ${describeIssued(STATUS.token!, undefined, NOW)}`;

/** A status in which something is the matter. */
export function troubled(reason: string, message: string): Part<RegistryToken> {
  const condition = { lastTransitionTime: '2026-11-30T11:00:00Z', reason, message };
  const conditions = [
    { ...condition, type: 'Ready', status: 'False' as const },
    { ...condition, type: 'Reconciling', status: 'True' as const },
  ];
  return { status: { reason, conditions } };
}

export function accountOf(ready: 'True' | 'False', reason: string, message: string): RegistryAccount {
  const condition = { type: 'Ready', status: ready, lastTransitionTime: '', reason, message };
  return anAccount({ metadata: { name: 'default' }, status: { reason, conditions: [condition] } });
}

/** The Secret as the operator writes it. @param tokenId that it holds */
export function writtenSecret(token: RegistryToken, tokenId = 'token-3'): Secret {
  const credential = { tokenId, username: 'iamapikey', value: new Redacted(VALUE) };
  const content = { token, spec: readTokenSpec(token), host: 'us.icr.io', credential };
  const { metadata, ...rest } = secretManifest(content);
  return {
    ...rest,
    metadata: { ...metadata, uid: 'secret-uid', resourceVersion: '7', creationTimestamp: '' },
  };
}

const meta = (name: string) => ({
  name,
  namespace: 'team-a',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-11-30T11:00:00Z',
});

/** @param waiting reason for which its container waits */
export function pod(name: string, waiting?: string): object {
  const state = waiting === undefined ? { running: {} } : { waiting: { reason: waiting } };
  return {
    metadata: meta(name),
    spec: {
      nodeName: 'n',
      imagePullSecrets: [{ name: 'app-pull' }],
      containers: [{ name: 'c', image: 'us.icr.io/team-a/app:1' }],
    },
    status: {
      phase: waiting === undefined ? 'Running' : 'Pending',
      containerStatuses: [{ name: 'c', state }],
    },
  };
}

export function event(time: string, type: string, reason: string, note: string): object {
  return { metadata: meta(reason.toLowerCase()), eventTime: time, type, reason, note };
}

/** Everything around a RegistryToken that works. */
export function around(token: RegistryToken, others: Answers = {}): Answers {
  return {
    [`GET ${TOKENS}/app-pull`]: token,
    [`GET ${TOKENS}`]: listOf(token),
    [`GET ${ACCOUNTS}/default`]: accountOf('True', 'CredentialsAccepted', ''),
    [`GET ${SECRET}`]: writtenSecret(token),
    [`GET ${SERVICE_ACCOUNTS}`]: listOf({
      metadata: meta('default'),
      imagePullSecrets: [{ name: 'app-pull' }],
    }),
    [`GET ${PODS}`]: listOf(pod('web-1'), pod('web-2')),
    [`GET ${EVENTS}`]: listOf(event('2026-11-30T10:00:00.000000Z', 'Normal', 'Rotated', 'issued token-3')),
    ...others,
  };
}

/** What somebody sees who may read RegistryTokens only. */
export function onlyTokens(token: RegistryToken): Answers {
  return around(token, {
    [`GET ${ACCOUNTS}/default`]: forbidden('get', ACCOUNTS, 'registryaccounts.pullsecrets.dev'),
    [`GET ${SECRET}`]: forbidden('get', SECRET, 'secrets', 'team-a'),
    [`GET ${SERVICE_ACCOUNTS}`]: forbidden('list', SERVICE_ACCOUNTS, 'serviceaccounts', 'team-a'),
    [`GET ${PODS}`]: forbidden('list', PODS, 'pods', 'team-a'),
    [`GET ${EVENTS}`]: forbidden('list', EVENTS, 'events.events.k8s.io', 'team-a'),
  });
}

export const PATHS = { PODS, SERVICE_ACCOUNTS, EVENTS };

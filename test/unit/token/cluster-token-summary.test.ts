import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { quotaRemark } from '../../../src/token/cluster-token/quota.ts';
import {
  childState,
  conditionsOf,
  summarize,
  type ChildState,
} from '../../../src/token/cluster-token/summary.ts';
import { anIssuedToken, at } from '../../support/builders.ts';
import { aClusterToken } from '../../support/cluster-tokens.ts';

const ready = (status: 'True' | 'False', reason: string, generation = 1): RegistryToken => {
  const condition = { type: 'Ready', status, reason, message: `it is ${reason}`, lastTransitionTime: at(0) };
  return anIssuedToken({ status: { conditions: [{ ...condition, observedGeneration: generation }] } });
};
const FAILED: ChildState = {
  state: 'failed',
  reason: 'AccountNotReady',
  message: 'no key; will retry at 2026-01-01T00:00:00Z',
};
const states = (...all: ChildState[]): Map<string, ChildState> =>
  new Map(all.map((state, n) => [`team-${String(n).padStart(3, '0')}`, state]));
const READY: ChildState = { state: 'ready' };
const WAITING: ChildState = { state: 'waiting' };

describe('a RegistryToken counts', () => {
  const table: [string, RegistryToken, ChildState['state']][] = [
    ['that is Ready', ready('True', 'Issued'), 'ready'],
    ['that was Ready before it was changed', ready('True', 'Issued', 0), 'waiting'],
    ['that gets its first token', ready('False', 'Issuing'), 'waiting'],
    ['that is suspended without a token', ready('False', 'Suspended'), 'waiting'],
    ['that is in trouble', ready('False', 'AccountNotReady'), 'failed'],
    ['that nobody has looked at yet', anIssuedToken(), 'waiting'],
    [
      'that is being deleted',
      { ...ready('True', 'Issued'), metadata: { ...anIssuedToken().metadata, deletionTimestamp: at(0) } },
      'waiting',
    ],
  ];
  for (const [what, token, state] of table)
    it(`${what} as ${state}`, () => expect(childState(token).state).to.equal(state));
});

describe('the status of a ClusterRegistryToken', () => {
  const told = (all: Map<string, ChildState>, parent = aClusterToken(), remark?: string): string[] =>
    conditionsOf(parent, summarize(all), { remark, left: [...all.keys()] }).map(
      ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
    );

  it('counts namespaces and names the first ten that failed, without what changes at each try', () => {
    const all = states(...Array.from({ length: 12 }, () => FAILED), READY, WAITING);
    const { namespaces, failures } = summarize(all);
    expect(namespaces).to.deep.equal({ matching: 14, ready: 1, failed: 12 });
    expect(failures).to.have.length(10);
    expect(failures[0]).to.deep.equal({
      namespace: 'team-000',
      reason: 'AccountNotReady',
      message: 'no key',
    });
    expect(told(all)[0]).to.equal(
      'Ready False NamespacesFailed: 1 of 14 RegistryTokens are ready; failed in team-000, team-001, team-002 and 9 more: AccountNotReady, no key',
    );
  });

  it('is Ready once all are', () => {
    expect(told(states(READY, READY))).to.deep.equal(['Ready True AllReady: all 2 RegistryTokens are ready']);
    expect(told(states(READY))).to.deep.equal([
      'Ready True AllReady: the RegistryToken of 1 namespace is ready',
    ]);
  });

  it('is Ready where no namespace matches, and says so', () =>
    expect(told(states())).to.deep.equal([
      'Ready True AllReady: no namespace matches spec.namespaceSelector',
    ]));

  it('is Reconciling while some wait, and says what else there is to say', () =>
    expect(told(states(READY, WAITING), aClusterToken(), 'no room')).to.deep.equal([
      'Ready False Issuing: 1 of 2 RegistryTokens are ready; no room',
      'Reconciling True Issuing: 1 of 2 RegistryTokens are ready; no room',
    ]));

  it('waits for nothing where the template is suspended', () => {
    const suspended = aClusterToken({
      spec: { namespaceSelector: {}, template: { spec: { suspend: true } } },
    });
    expect(told(states(READY, WAITING), suspended)).to.deep.equal([
      'Ready False Suspended: 1 of 2 RegistryTokens are ready',
    ]);
  });

  it('is Stalled by what only a change of the spec can end', () => {
    const conditions = conditionsOf(aClusterToken(), summarize(states(READY)), { fault: 'spec.x' });
    expect(conditions.map(({ type, reason }) => [type, reason])).to.deep.equal([
      ['Ready', 'InvalidSpec'],
      ['Stalled', 'InvalidSpec'],
    ]);
  });

  it('tells how many are left, and where, while it is being deleted, and what holds them', () => {
    const going = aClusterToken({ metadata: { deletionTimestamp: at(0) } });
    expect(told(states(WAITING, WAITING), going)[1]).to.equal(
      'Reconciling True Deleting: 2 RegistryTokens left in team-000, team-001',
    );
    const many = states(...Array.from({ length: 5 }, () => WAITING));
    expect(told(many, going)[1]).to.match(/left in team-000, team-001, team-002 and 2 more$/);
    const held: ChildState = { state: 'failed', reason: 'NotWritten', message: 'not allowed' };
    expect(told(states(held), going)[1]).to.equal(
      'Reconciling True Deleting: 1 RegistryToken left in team-000; team-000: not allowed',
    );
  });
});

describe('the quota of an account', () => {
  const quota = { registryTokens: 10, why: 'each has a robot' };

  it('is told before the registry refuses a token', () => {
    expect(quotaRemark('default', quota, 10)).to.equal(undefined);
    expect(quotaRemark('default', quota, 11)).to.match(
      /^RegistryAccount default can have 10 RegistryTokens and 11 are asked of it: each has a robot;/,
    );
  });

  it('is not told where none is known', () =>
    expect(quotaRemark('default', undefined, 1_000)).to.equal(undefined));
});

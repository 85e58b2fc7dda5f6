import { expect } from 'chai';
import type { HeldCredential, PullSecret } from '../../../src/cli/pull-secrets/pull-secret.ts';
import type { SecretUse } from '../../../src/cli/pull-secrets/references.ts';
import { reportOf } from '../../../src/cli/pull-secrets/report.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const UNUSED: SecretUse = { pods: 0, serviceAccounts: [], moreServiceAccounts: 0 };
const USED: SecretUse = { pods: 3, serviceAccounts: ['default'], moreServiceAccounts: 0 };

const secret = (part: Partial<PullSecret> = {}): PullSecret => ({
  namespace: 'team-a',
  name: 'app-pull',
  type: 'kubernetes.io/dockerconfigjson',
  created: Date.parse('2026-01-01T00:00:00Z'),
  written: undefined,
  hosts: ['us.icr.io'],
  moreHosts: 0,
  users: ['iamapikey'],
  kinds: ['IBM Cloud API key'],
  expires: undefined,
  keeper: undefined,
  flaw: undefined,
  credentials: [],
  ...part,
});
const held = (fingerprint: string, hosts = ['us.icr.io']): HeldCredential => ({
  fingerprint,
  user: 'iamapikey',
  hosts,
});
const OURS = { name: 'registry-token-operator', object: 'RegistryToken app-pull', does: 'Rotates' } as const;

describe('the report on pull secrets', () => {
  it('lists those first that nobody rotates, a copier and Helm included, in the order of their names', () => {
    const { secrets, summary } = reportOf(
      [
        secret({ namespace: 'a', keeper: OURS }),
        secret({ namespace: 'c', keeper: { name: 'Helm', object: 'web', does: 'Copies' } }),
        secret({ namespace: 'b', keeper: { name: 'Robot', object: 'Robot x', does: 'Unknown' } }),
        secret({ namespace: 'b', name: 'z' }),
        secret({ namespace: 'b', name: 'a' }),
      ],
      () => USED,
      NOW,
    );
    expect(secrets.map(({ namespace, name }) => `${namespace}/${name}`)).to.deep.equal([
      'b/a',
      'b/z',
      'c/app-pull',
      'a/app-pull',
      'b/app-pull',
    ]);
    expect(summary).to.deep.equal({ secrets: 5, notRotated: 3, copies: 0, unused: 0, expired: 0 });
  });

  it('remarks what is wrong with a Secret', () => {
    const { secrets, summary } = reportOf(
      [
        secret({ name: 'a', expires: NOW }),
        secret({ name: 'b', expires: NOW + 1 }),
        secret({ name: 'c', flaw: 'holds no JSON in .dockerconfigjson' }),
      ],
      () => UNUSED,
      NOW,
    );
    expect(secrets.map(({ remarks }) => remarks)).to.deep.equal([
      ['its credential has expired', 'no pod and no ServiceAccount names it'],
      ['no pod and no ServiceAccount names it'],
      ['holds no JSON in .dockerconfigjson', 'no pod and no ServiceAccount names it'],
    ]);
    expect(secrets[0]?.expiresAt).to.equal('2026-06-01T00:00:00Z');
    expect(summary).to.include({ unused: 3, expired: 1 });
  });

  it('tells of copies, and of those that end when another is rotated', () => {
    const { secrets, copies, summary } = reportOf(
      [
        secret({ namespace: 'a', credentials: [held('1')], keeper: OURS }),
        secret({ namespace: 'b', credentials: [held('1')] }),
        secret({ namespace: 'c', credentials: [held('2')] }),
      ],
      () => USED,
      NOW,
    );
    expect(secrets.map(({ copies: of, remarks }) => [of, remarks])).to.deep.equal([
      [{ secrets: 2, namespaces: 2 }, ['its credential ends when a/app-pull is rotated']],
      [undefined, []],
      [{ secrets: 2, namespaces: 2 }, []],
    ]);
    const [group] = copies;
    expect(group?.secrets).to.deep.equal([
      { namespace: 'a', name: 'app-pull' },
      { namespace: 'b', name: 'app-pull' },
    ]);
    expect(group?.rotated).to.deep.equal({ namespace: 'a', name: 'app-pull' });
    expect(summary.copies).to.equal(1);
  });

  it('tells of a credential the registries that it is for in all Secrets, and none of other credentials', () => {
    const { copies } = reportOf(
      [
        secret({ namespace: 'a', hosts: ['us.icr.io', 'other.example'], credentials: [held('1')] }),
        secret({ namespace: 'b', hosts: ['quay.io'], credentials: [held('1', ['quay.io'])] }),
      ],
      () => USED,
      NOW,
    );
    expect(copies).to.have.length(1);
    expect(copies[0]).to.deep.include({ hosts: ['us.icr.io', 'quay.io'], user: 'iamapikey' });
  });

  it('names a hundred of the copies of a credential, and shows no fingerprint', () => {
    const many = Array.from({ length: 150 }, (_, at) =>
      secret({ namespace: `n${at}`, credentials: [held('finger-print')] }),
    );
    const report = reportOf(many, () => USED, NOW);
    expect(report.copies[0]?.secrets).to.have.length(100);
    expect(report.copies[0]?.moreSecrets).to.equal(50);
    expect(JSON.stringify(report)).to.not.include('finger-print');
  });
});

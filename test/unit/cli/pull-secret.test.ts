import { expect } from 'chai';
import { groupCopies } from '../../../src/cli/pull-secrets/copies.ts';
import { readPullSecret, type PullSecret } from '../../../src/cli/pull-secrets/pull-secret.ts';
import type { ObjectMeta } from '../../../src/common/objects.ts';
import { registerSecret } from '../../support/secrecy.ts';

const KEY = Buffer.alloc(32, 7);
const PASSWORD = 'a-password-made-by-hand';
registerSecret(PASSWORD);

function read(auths: unknown, meta: Partial<ObjectMeta> = {}, key = KEY): PullSecret {
  const secret = {
    metadata: {
      name: 'all-icr-io',
      namespace: 'team-a',
      uid: 'secret-1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...meta,
    },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  };
  return readPullSecret(secret, [], key);
}

describe('what is kept of a pull secret', () => {
  it('is hosts, user and kind, and no part of a value', () => {
    const entry = { username: 'iamapikey', password: PASSWORD };
    const secret = read({ 'https://us.icr.io/v1/': entry, 'us.icr.io': entry, 'de.icr.io': entry });
    expect(secret).to.include({
      namespace: 'team-a',
      name: 'all-icr-io',
      flaw: undefined,
      expires: undefined,
    });
    expect(secret.hosts).to.deep.equal(['us.icr.io', 'de.icr.io']);
    expect(secret.users).to.deep.equal(['iamapikey']);
    expect(secret.kinds).to.deep.equal(['IBM Cloud API key']);
    expect(secret.created).to.equal(Date.parse('2026-01-01T00:00:00Z'));
    expect(JSON.stringify(secret)).to.not.include(PASSWORD);
  });

  it('is no user name, host or URL that is a value, or holds one', () => {
    const secret = read({
      'registry.digitalocean.example': { username: PASSWORD, password: PASSWORD },
      [`https://me:${PASSWORD}@registry.example`]: { username: 'me', password: PASSWORD },
      'https://me:short@other.example': { username: PASSWORD.slice(0, 12), password: 'x' },
    });
    expect(secret.hosts).to.deep.equal(['registry.digitalocean.example', '[redacted]', 'other.example']);
    expect(secret.users).to.deep.equal(['[redacted]', 'me', '[redacted]']);
  });

  it('is not much, however much stands in the Secret', () => {
    const text = 'ü'.repeat(200);
    const many = Array.from({ length: 2_000 }, (_, at) => [
      `${text}${at}`,
      { username: `${text}${at}`, password: `${PASSWORD}-${at % 1_000}` },
    ]);
    const secret = read(Object.fromEntries(many));
    expect(secret.hosts).to.have.length(1);
    expect(secret.hosts[0]).to.equal(`${'ü'.repeat(127)}…`);
    expect(secret.moreHosts).to.equal(2_000 - 64);
    expect(secret.users).to.have.length(4);
    expect(secret.credentials).to.have.length(8);
    expect(JSON.stringify(secret).length).to.be.below(4_000);
  });

  it('shows no text at all beside more values than texts can be compared with', () => {
    const many = Array.from({ length: 1_100 }, (_, at) => [
      `h${at}.example`,
      { username: 'me', password: `p${at}` },
    ]);
    expect(read(Object.fromEntries(many)).hosts).to.deep.equal(['[redacted]']);
  });

  it('says when its content was written last, whatever was done to its labels', () => {
    const fieldsV1 = { 'f:data': { 'f:.dockerconfigjson': {} } };
    const managedFields = [
      { manager: 'kubectl-create', operation: 'Update', time: '2026-01-01T00:00:00Z', fieldsV1 },
      { manager: 'script', operation: 'Update', time: '2026-02-01T00:00:00Z', fieldsV1 },
      {
        manager: 'labels',
        operation: 'Update',
        time: '2026-03-01T00:00:00Z',
        fieldsV1: { 'f:metadata': {} },
      },
      { manager: 'odd', operation: 'Update', time: 'yesterday', fieldsV1 },
      { manager: 'nothing' },
    ];
    expect(read({}, { managedFields }).written).to.equal(Date.parse('2026-02-01T00:00:00Z'));
    expect(read({}).written).to.equal(undefined);
  });
});

describe('copies of a credential', () => {
  const entry = { username: 'iamapikey', password: PASSWORD };
  const another = { username: 'iamapikey', password: `${PASSWORD}-2` };

  it('are found whatever the Secrets are called and whatever hosts they name, the most widespread first', () => {
    const secrets = [
      read({ 'us.icr.io': entry }, { namespace: 'b' }),
      read({ 'de.icr.io': entry, 'us.icr.io': entry }, { namespace: 'a' }),
      read({ 'us.icr.io': entry }, { namespace: 'a', name: 'again' }),
      read({ 'us.icr.io': another }, { namespace: 'c' }),
      read({ 'us.icr.io': another, 'de.icr.io': { ...entry, username: 'me' } }, { namespace: 'd' }),
    ];
    const groups = groupCopies(secrets);
    expect(
      groups.map((group) => group.secrets.map(({ namespace, name }) => `${namespace}/${name}`)),
    ).to.deep.equal([
      ['a/again', 'a/all-icr-io', 'b/all-icr-io'],
      ['c/all-icr-io', 'd/all-icr-io'],
    ]);
    expect(groups.map(({ namespaces }) => namespaces)).to.deep.equal([2, 2]);
  });

  it('are not two Secrets without a credential', () => {
    const empty = { username: 'me', password: '' };
    expect(
      groupCopies([read({ 'a.example': empty }), read({ 'a.example': empty }, { name: 'b' }), read({})]),
    ).to.deep.equal([]);
  });

  it('can be compared within one run only', () => {
    const [first] = read({ 'us.icr.io': entry }).credentials;
    const [second] = read({ 'us.icr.io': entry }, {}, Buffer.alloc(32, 8)).credentials;
    expect(first?.fingerprint).to.be.a('string').that.does.not.equal(second?.fingerprint);
  });
});

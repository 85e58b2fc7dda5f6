import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Fault } from '../../sandbox/registries/shared/fault.ts';
import { REGISTRIES } from '../../sandbox/registries/registries.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { isStalled, isTrouble, tokenReasons, type TokenReason } from '../../src/api/reasons.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { KubeObject, ObjectName } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { EVENTS, SECRETS } from '../../src/kube/client/resources.ts';
import type { Call } from '../../src/kube/transport/transport.ts';
import { documentedReasons, type DocumentedReason } from '../support/documented-reasons.ts';
import { HOST, World } from '../support/world.ts';

/** A RegistryToken in trouble, and what ends that; without it, it ends by itself. */
interface Trouble {
  name: ObjectName;
  end?: () => Promise<unknown>;
}

/** Any registry may take half a minute until it accepts what it made. Milliseconds. */
const PATIENCE = 60_000;

describe('whatever keeps a RegistryToken from its token', () => {
  let world: World;
  let namespace: string;
  let rows: DocumentedReason[];
  before(async () => {
    // Some of these reasons are answers of one registry alone.
    world = await World.start({ prepared: REGISTRIES['ibm-registry-tokens'].prepare(systemClock) });
    world.startOperator();
    namespace = await world.createNamespace();
    rows = await documentedReasons();
  });
  afterEach(() => {
    world.registry.faults.clear();
    world.intercept = undefined;
  });
  after(() => world.close());

  /** A change that ends the wait after a failure. */
  const touch = (name: ObjectName): Promise<unknown> =>
    world.patchToken(name, { spec: { secret: { annotations: { touched: world.uniqueName('t') } } } });

  async function ofAccount(
    account: Partial<RegistryAccountSpec>,
    spec: RegistryTokenSpec,
    cure: object,
  ): Promise<Trouble> {
    const name = world.uniqueName('account');
    await world.createAccount(name, account);
    return {
      name: await world.createToken(namespace, { ...spec, accountRef: { name } }),
      end: () => world.client.mergePatch(REGISTRY_ACCOUNTS, { name }, { spec: cure }),
    };
  }

  const ofSpec = async (spec: RegistryTokenSpec, cure: object): Promise<Trouble> => {
    const name = await world.createToken(namespace, spec);
    return { name, end: () => world.patchToken(name, { spec: cure }) };
  };

  async function ofRegistry(fault: Fault): Promise<Trouble> {
    world.registry.faults.add(fault);
    const name = await world.createToken(namespace);
    return {
      name,
      end: () => {
        world.registry.faults.clear();
        return touch(name);
      },
    };
  }
  const answers = (status: number) => () => ofRegistry({ operation: 'mint', kind: 'status', status });

  const withStatus = (name: ObjectName, status: object): Promise<unknown> =>
    world.client.mergePatch(REGISTRY_TOKENS, name, { status }, { subresource: 'status' });

  const provocations: Partial<Record<TokenReason, () => Promise<Trouble>>> = {
    AccountNotFound: async () => {
      const account = world.uniqueName('account');
      const name = await world.createToken(namespace, { accountRef: { name: account } });
      return { name, end: () => world.createAccount(account) };
    },
    AccountNotReady: async () => {
      const secret = world.uniqueName('credentials');
      const credentialsSecretRef = { name: secret };
      const trouble = await ofAccount({ credentialsSecretRef }, {}, {});
      return { ...trouble, end: () => world.setCredentials(secret) };
    },
    NamespaceNotAllowed: () =>
      ofAccount({ namespaceSelector: { matchLabels: { pull: 'yes' } } }, {}, { namespaceSelector: null }),
    RegionUnknown: () => ofSpec({ region: 'atlantis' }, { region: 'us-south' }),
    AccessNotAllowed: () =>
      ofAccount(
        { limits: { maxAccess: 'ReadOnly' } },
        { access: 'ReadWrite' },
        { limits: { maxAccess: 'ReadWrite' } },
      ),
    LifetimeNotAllowed: () =>
      ofAccount(
        { limits: { allowNeverExpiring: false } },
        { lifetime: 'Never' },
        { limits: { allowNeverExpiring: true } },
      ),
    LifetimeNotOffered: () => ofSpec({ lifetime: '48h' }, { lifetime: '24h' }),
    ScopeNotAllowed: () =>
      ofAccount(
        { limits: { scopes: ['team-*'], allowNeverExpiring: true } },
        {},
        { limits: { scopes: null } },
      ),
    ScopeNotOffered: () => ofSpec({ scope: ['team-a'] }, { scope: null }),
    InvalidSpec: async () => {
      // What the schema refuses gets past it where a CRD is older than the operator.
      const name = await world.createToken(namespace);
      await world.whenReady(name);
      const bad = { labels: { 'not a label': 'x' } };
      await world.patchToken(name, { spec: { secret: bad } });
      return { name, end: () => world.patchToken(name, { spec: { secret: { labels: null } } }) };
    },
    HostNotAccepted: async () => {
      const account = world.uniqueName('account');
      await world.createAccount(account);
      const name = await world.createToken(namespace, { accountRef: { name: account } });
      await world.whenReady(name);
      const setHost = (host: string): Promise<unknown> =>
        world.client.mergePatch(REGISTRY_ACCOUNTS, { name: account }, { spec: world.registryAt({ host }) });
      await setHost('127.0.0.1:1');
      return { name, end: () => setHost(HOST) };
    },
    SecretConflict: async () => {
      const name = { namespace, name: world.uniqueName('taken') };
      const metadata = { ...name };
      await world.client.create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' });
      await world.createToken(namespace, {}, name.name);
      return {
        name,
        end: async () => {
          await world.client.delete(SECRETS, name);
          await touch(name);
        },
      };
    },
    SecretContested: async () => {
      const name = await world.createToken(namespace);
      await world.whenReady(name);
      const data = { '.dockerconfigjson': Buffer.from('{"auths":{}}').toString('base64') };
      const isContested = async (): Promise<boolean> =>
        (await world.token(name)).status?.reason === 'SecretContested';
      await world.eventually('the operator has enough of it', async () => {
        if (await isContested()) return { value: true };
        await world.client.mergePatch(SECRETS, name, { data });
        return { seen: 'another edit' };
      });
      return { name, end: () => rotate(name) };
    },
    SecretNotWritten: async () => {
      const quota = new KubeError('exceeded quota: few-secrets', { status: 403, reason: 'Forbidden' });
      const limited = world.uniqueName('limited');
      const isItsSecret = ({ path, body = '' }: Call): boolean =>
        path.includes('/secrets') && (path + JSON.stringify(body)).includes(`${limited}"`);
      world.intercept = (call, pass) =>
        call.method !== 'GET' && isItsSecret(call) ? Promise.reject(quota) : pass();
      const name = await world.createToken(namespace, {}, limited);
      return {
        name,
        end: () => {
          world.intercept = undefined;
          return touch(name);
        },
      };
    },
    ClockSkew: () => ofRegistry({ operation: 'mint', kind: 'expired' }),
    MintUnconfirmed: () => ofRegistry({ operation: 'mint', kind: 'drop-after-effect', times: 1 }),
    TokenRefused: async () => {
      const at = world.registryAt({ host: world.registryHost });
      world.registry.faults.add({ operation: 'auth', kind: 'status', status: 401 });
      const trouble = await ofAccount({ verify: 'Always', ...at }, {}, { verify: 'Never' });
      await whenReason(trouble.name, 'Verifying');
      return {
        ...trouble,
        end: () => {
          world.registry.faults.clear();
          return touch(trouble.name);
        },
      };
    },
    RegistryUnauthorized: answers(401),
    RegistryForbidden: answers(403),
    RegistryConflict: answers(409),
    RegistryQuotaExceeded: async () => {
      const full = createServer((_, answer) => {
        answer.writeHead(422, { 'content-type': 'application/json' });
        answer.end('{"code":"CRT0422E","message":"The limit of tokens of the account is reached."}');
      });
      await once(full.listen(0, '127.0.0.1'), 'listening');
      const region = { name: 'us-south', host: HOST };
      const { port } = full.address() as AddressInfo;
      const regions = [{ ...region, endpoint: `http://127.0.0.1:${port}` }];
      const cured = { regions: [{ ...region, endpoint: world.registryUrl }] };
      const trouble = await ofAccount({ regions }, {}, cured);
      return {
        ...trouble,
        end: async () => {
          full.close();
          await trouble.end?.();
        },
      };
    },
    RegistryRateLimited: answers(429),
    RegistryDiscontinued: answers(410),
    RegistryRefused: answers(400),
    RegistryUnavailable: answers(503),
    MintBudgetExceeded: async () => {
      const name = await world.createToken(namespace);
      await world.whenReady(name);
      const now = `${new Date().toISOString().slice(0, 19)}Z`;
      await withStatus(name, { requestedMintTimes: Array.from({ length: 64 }, () => now) });
      await rotate(name);
      return {
        name,
        end: async () => {
          await withStatus(name, { requestedMintTimes: null });
          await touch(name);
        },
      };
    },
    TokenExpired: async () => {
      const name = await world.createToken(namespace, { rotation: { policy: 'Manual' } });
      await world.whenReady(name);
      await withStatus(name, {
        token: { issuedAt: '2025-12-31T00:00:00Z', expiresAt: '2026-01-01T00:00:00Z' },
      });
      await touch(name);
      return { name, end: () => rotate(name) };
    },
  };

  const rotate = (name: ObjectName): Promise<unknown> =>
    world.patchToken(name, {
      metadata: { annotations: { 'pullsecrets.dev/rotate': world.uniqueName('r') } },
    });

  const whenReason = (name: ObjectName, reason: string) =>
    world.eventually(
      `${name.name} says ${reason}`,
      async () => {
        const token = await world.token(name);
        return token.status?.reason === reason ? { value: token } : { seen: JSON.stringify(token.status) };
      },
      PATIENCE,
    );

  interface SeenEvent extends KubeObject {
    type: string;
    reason: string;
    note: string;
    regarding: { name: string };
    series?: { count: number };
  }
  /** As `type reason`, each as often as it happened. */
  async function events(name: ObjectName): Promise<{ what: string; note: string }[]> {
    const { items } = await world.client.listPage<SeenEvent>(EVENTS, { namespace: name.namespace });
    return items
      .filter(({ regarding }) => regarding.name === name.name)
      .flatMap(({ type, reason, note, series }) =>
        Array.from({ length: series?.count ?? 1 }, () => ({ what: `${type} ${reason}`, note })),
      );
  }
  const lines = (name: ObjectName, level: number, text: string): unknown[] =>
    world.log.filter(
      (line) => line['name'] === name.name && line['level'] === level && String(line['msg']).includes(text),
    );

  it('is in a table of reasons, and here, one row for each reason there is', () => {
    expect(rows.map(({ reason }) => reason)).to.have.members(tokenReasons);
    expect(Object.keys(provocations)).to.have.members(tokenReasons.filter(isTrouble));
    for (const { reason, condition, remedy } of rows) {
      if (!isTrouble(reason)) continue;
      expect(condition, reason).to.equal(isStalled(reason) ? 'Stalled' : 'Reconciling');
      expect(remedy, reason).to.match(/\w/);
    }
  });

  for (const [reason, provoke] of Object.entries(provocations)) {
    it(`${reason}: one event and log line when it begins, status and condition while it lasts, one event when it is over`, async () => {
      const { name, end } = await provoke();
      if (reason !== 'MintUnconfirmed') {
        const { status } = await whenReason(name, reason);
        const row = rows.find((each) => each.reason === reason);
        const condition = findCondition(status?.conditions, row?.condition ?? 'Ready');
        expect(condition, JSON.stringify(status)).to.include({ status: 'True', reason });
      }
      const begun = await world.eventually('it is told', async () => {
        const warnings = (await events(name)).filter(({ what }) => what === `Warning ${reason}`);
        return warnings.length > 0 ? { value: warnings } : { seen: JSON.stringify(await events(name)) };
      });
      expect(lines(name, 40, begun[0]?.note ?? '')).to.have.length(1);
      await end?.();
      const over = await world.eventually('it is told that it is over', async () => {
        const ends = (await events(name)).filter(({ note }) => note.startsWith(`${reason} is over: `));
        return ends.length > 0 ? { value: ends } : { seen: JSON.stringify((await world.token(name)).status) };
      });
      expect(over.map(({ what }) => what)).to.deep.equal(['Normal Recovered']);
      expect(lines(name, 30, `${reason} is over: `)).to.have.length(1);
      await world.whenReady(name);
      const told = (await events(name)).filter(({ what }) => what === `Warning ${reason}`);
      expect(told, JSON.stringify(told)).to.have.length(1);
    }).timeout(2 * PATIENCE);
  }

  it('is not told again by the operator that is restarted, nor by another that takes over', async () => {
    const reasons = ['AccountNotFound', 'AccountNotReady', 'SecretConflict', 'RegistryForbidden'] as const;
    const names: [TokenReason, ObjectName][] = [];
    for (const reason of reasons) {
      const { name } = await (provocations[reason]?.() ?? expect.fail(`nothing provokes ${reason}`));
      await whenReason(name, reason);
      names.push([reason, name]);
    }
    await world.stopOperator();
    world.startOperator();
    for (const [reason, name] of names) {
      await touch(name);
      await world.whenReady(name, { status: 'False', reason });
      const told = (await events(name)).filter(({ what }) => what !== 'Normal Issued');
      expect(told.map(({ what }) => what)).to.deep.equal([`Warning ${reason}`]);
      expect(lines(name, 40, '').length).to.equal(1);
    }
  }).timeout(2 * PATIENCE);

  it('shows in the columns of kubectl, and a suspended one has no next rotation', async () => {
    const crd = await readFile(
      new URL('../../crds/pullsecrets.dev_registrytokens.yaml', import.meta.url),
      'utf8',
    );
    expect(crd).to.include('{ name: Status, type: string, jsonPath: .status.reason }');
    const name = await world.createToken(namespace);
    const { status: before } = await world.whenReady(name);
    expect(before).to.include.keys('nextRotationTime').and.to.include({ reason: 'Issued' });
    await world.patchToken(name, { spec: { suspend: true } });
    const { status } = await whenReason(name, 'Suspended');
    expect(status).to.not.have.property('nextRotationTime');
    expect(findCondition(status?.conditions, 'Ready')).to.include({ status: 'True', reason: 'Suspended' });
    await world.patchToken(name, { spec: { suspend: false } });
    expect((await whenReason(name, 'Issued')).status?.nextRotationTime).to.equal(before?.nextRotationTime);
    world.registry.faults.add({ operation: 'mint', kind: 'status', status: 503 });
    await rotate(name);
    const failing = await whenReason(name, 'RegistryUnavailable');
    expect(findCondition(failing.status?.conditions, 'Ready')?.status).to.equal('True');
  });
});

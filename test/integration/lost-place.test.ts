import { expect } from 'chai';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { CAPABILITIES, HAS_ENDPOINTS, REGION, where } from '../support/tested-registry.ts';
import { HOST, OPERATOR_NAMESPACE, World } from '../support/world.ts';

/** As short as flags allow, so that tests do not wait. */
const SWEEP = { sweep: 'revoke', sweepDelay: 1_000 } as const;
const LAB = { accountRef: { name: 'lab' }, region: 'lab' };
const ELSEWHERE = { accountRef: { name: 'default' }, region: REGION };

where(HAS_ENDPOINTS && CAPABILITIES.find === 'tag').describe(
  'a mint whose answer was lost, at a place that is then',
  () => {
    let world: World;
    let namespace: string;
    before(async () => {
      world = await World.start();
      await world.setCredentials('lab');
      namespace = await world.createNamespace();
      world.startOperator(SWEEP);
    });
    beforeEach(() => createLab());
    afterEach(async () => {
      world.registry.faults.clear();
      if (await world.exists(world.account('lab')))
        await world.client.delete(REGISTRY_ACCOUNTS, { name: 'lab' });
      await world.setCredentials('lab');
    });
    after(() => world.close());

    const createLab = () =>
      world.createAccount('lab', {
        credentialsSecretRef: { name: 'lab' },
        regions: [
          // The same service, and another place: what is issued at one endpoint is no business of another.
          {
            name: 'lab',
            host: 'lab.test:5000',
            endpoint: world.registryUrl.replace('127.0.0.1', 'localhost'),
          },
          { name: REGION ?? '', host: HOST, endpoint: world.registryUrl },
        ],
      });
    const setRegions = (regions: object[]) =>
      world.client.mergePatch(REGISTRY_ACCOUNTS, { name: 'lab' }, { spec: { regions } });
    const living = (uid: string) => world.tokensOf(uid);
    const whenOneLives = (uid: string) =>
      world.eventually('the token that nobody knew of is revoked', async () =>
        living(uid).length === 1 ? { value: true } : { seen: JSON.stringify(living(uid)) },
      );
    async function whenSwept(uid: string): Promise<void> {
      await whenOneLives(uid);
      const line = await world.eventually('the sweep says so', async () => {
        const value = world.log.find(
          (entry) => entry['msg'] === 'orphan token revoked' && entry['uid'] === uid,
        );
        return value ? { value } : { seen: 'no such line' };
      });
      expect(line).to.include({ account: 'lab', revision: 1 });
    }
    const whenReason = (name: ObjectName, reason: string) =>
      world.whenReady(name, { status: 'False', reason });

    /** A RegistryToken whose first token was created, without its ever hearing of it, and can't be looked up. */
    async function aLostMint(): Promise<{ name: ObjectName; uid: string }> {
      const { faults } = world.registry;
      faults.add({ operation: 'mint', kind: 'drop-after-effect', times: 1 });
      faults.add({ operation: 'list', kind: 'status', status: 503 });
      const name = await world.createToken(namespace, LAB);
      const { metadata, status } = await whenReason(name, 'MintUnconfirmed');
      expect(status?.mintIntent).to.include({ revision: 1, account: 'lab', region: 'lab' });
      expect(living(metadata.uid)).to.have.length(1);
      return { name, uid: metadata.uid };
    }

    it('deleted with its account: another is created elsewhere, and the first is revoked once the account is back', async () => {
      const { name, uid } = await aLostMint();
      await world.client.delete(REGISTRY_ACCOUNTS, { name: 'lab' });
      await world.patchToken(name, { spec: ELSEWHERE });
      const { status } = await world.whenReady(name);
      expect(status).to.not.have.property('mintIntent');
      expect(status?.token).to.include({ revision: 2, account: 'default', region: REGION });
      expect(living(uid)).to.have.length(2);
      world.registry.faults.clear();
      await createLab();
      await whenSwept(uid);
      expect(living(uid)).to.deep.equal([status?.token?.id]);
    });

    it('removed from its account: another is created in another region, and the first is revoked once it is back', async () => {
      const { name, uid } = await aLostMint();
      const { regions = [] } = (await world.account('lab')).spec;
      await setRegions(regions.filter((region) => region.name !== 'lab'));
      await world.patchToken(name, { spec: { region: REGION } });
      const { status } = await world.whenReady(name);
      expect(status?.token).to.include({ revision: 2, account: 'lab', region: REGION });
      expect(living(uid)).to.have.length(2);
      world.registry.faults.clear();
      await setRegions(regions);
      await whenSwept(uid);
      expect(living(uid)).to.deep.equal([status?.token?.id]);
    });

    it('gone while it is still asked for: the mint stays open, and its token is adopted once the place is back', async () => {
      const { name, uid } = await aLostMint();
      await world.client.delete(REGISTRY_ACCOUNTS, { name: 'lab' });
      const { status } = await whenReason(name, 'AccountNotFound');
      expect(status?.mintIntent).to.include({ revision: 1 });
      world.registry.faults.clear();
      await createLab();
      const after = await world.whenReady(name);
      expect(after.status?.token).to.include({ revision: 1, account: 'lab' });
      expect(living(uid)).to.have.length(1);
    });

    for (const [what, spoil] of [
      ['down', async () => undefined],
      [
        'without credentials',
        () => world.client.delete(SECRETS, { namespace: OPERATOR_NAMESPACE, name: 'lab' }),
      ],
    ] as const) {
      it(`merely ${what}: no other is created until it is known what came of the first`, async () => {
        const { name, uid } = await aLostMint();
        await spoil();
        await world.patchToken(name, { spec: ELSEWHERE });
        const failing = await world.eventually('it was looked up in vain', async () => {
          const { status, metadata } = await world.token(name);
          const tried =
            status?.observedGeneration === metadata.generation && (status?.failedAttempts ?? 0) > 1;
          return tried ? { value: status } : { seen: JSON.stringify(status) };
        });
        expect(failing?.mintIntent).to.include({ revision: 1, account: 'lab' });
        expect(living(uid)).to.have.length(1);
        world.registry.faults.clear();
        await world.setCredentials('lab');
        const { status } = await world.whenReady(name);
        expect(status?.token).to.include({ revision: 2, account: 'default' });
        await whenOneLives(uid);
      });
    }
  },
);

import { expect } from 'chai';
import { RegistryError } from '../../src/registry/errors.ts';
import { describeBreakdowns } from './breakdowns.ts';
import { aRequest, UID, type Stage } from './support/stage.ts';
import { Minting } from './support/minting.ts';

const { signal } = new AbortController();
const DAY = 86_400_000;

/** What every back end promises that creates tokens at the registry. */
export function describeMinted(name: string, prepare: () => Promise<Stage>): void {
  describe(`${name}: a registry that creates tokens`, () => {
    const the = new Minting(prepare);

    beforeEach(() => the.begin());

    it('accepts the credentials of the account, and says whose they are', async () => {
      expect((await the.stage.verify()).identity).to.be.a('string').that.is.not.empty;
    });

    it('issues a read-only token that pulls and does not push', async () => {
      const token = await the.issue();
      expect(token.id).to.be.a('string').that.is.not.empty;
      expect(await the.granted(token)).to.deep.equal(['pull']);
    });

    it('issues a read-write token that pulls and pushes', async () => {
      expect(await the.granted(await the.issue({ access: 'ReadWrite' }))).to.deep.equal(['pull', 'push']);
    });

    it('lists a token with its tag, and without its value', async () => {
      const token = await the.issue();
      expect(await the.rows()).to.deep.equal([{ id: token.id, revision: 1 }]);
      const texts = await the.list((row) => JSON.stringify(row));
      expect(texts.join()).not.to.contain(token.value.reveal());
    });

    it('lists all of many tokens', async () => {
      const count = 230;
      for (let revision = 1; revision <= count; revision++) await the.issue({ revision });
      const found = await the.rows();
      expect(found.map(({ revision }) => revision).sort((a, b) => a - b)).to.deep.equal(
        Array.from({ length: count }, (_, index) => index + 1),
      );
    });

    it('issues to several at once as to one after the other', async () => {
      const uids = ['uid-1', 'uid-2', 'uid-3', 'uid-4'];
      const tokens = await Promise.all(uids.map((uid) => the.issue({ uid })));
      for (const token of tokens) expect(await the.granted(token)).to.deep.equal(['pull']);
      const found = await Promise.all(uids.map((uid) => the.rows(uid)));
      expect(found.map((each) => each.map(({ id }) => id))).to.deep.equal(tokens.map(({ id }) => [id]));
    });

    it('sends nothing that creates or deletes once the guard says no', async () => {
      const token = await the.issue();
      const refused = new Error('this process does not lead any more');
      the.restart(() => {
        throw refused;
      });
      const issuing = await the.issue({ revision: 2 }).catch((error: unknown) => error);
      expect(issuing).to.equal(refused);
      const revoking = await the.registry.revoke?.(token.id, signal).catch((error: unknown) => error);
      expect(revoking).to.equal(refused);
      expect(await the.rows()).to.deep.equal([{ id: token.id, revision: 1 }]);
    });

    it('revokes a token for good', async () => {
      const token = await the.issue();
      await the.registry.revoke?.(token.id, signal);
      expect(await the.granted(token)).to.equal(undefined);
      expect(await the.rows()).to.deep.equal([]);
    });

    it('says of a token that it is to revoke whether it was there', async () => {
      const token = await the.issue();
      expect(await the.registry.revoke?.(token.id, signal)).to.equal(true);
      the.restart();
      expect(await the.registry.revoke?.(token.id, signal)).to.equal(false);
    });

    it('finds a token by its id, where it can, and says when it is not there any more', async () => {
      const token = await the.issue();
      if (!the.registry.lookUp) return;
      const row = await the.registry.lookUp(token.id, signal);
      const { id, expiresAt } = token;
      expect(row).to.deep.equal({ id, description: aRequest().description, expiresAt, revoked: false });
      await the.registry.revoke?.(token.id, signal);
      await the.stage.clock.advance(the.registry.capabilities.settling.listing);
      expect(await the.registry.lookUp(token.id, signal)).to.equal(undefined);
    });

    it('keeps the previous token alive beside its successor', async () => {
      const previous = await the.issue();
      const next = await the.issue({ revision: 2 });
      expect(await the.granted(previous)).to.deep.equal(['pull']);
      expect(await the.granted(next)).to.deep.equal(['pull']);
      await the.registry.revoke?.(previous.id, signal);
      expect(await the.granted(next)).to.deep.equal(['pull']);
    });

    it('ends a token at its expiry, and not before', async () => {
      const begun = the.stage.clock.now();
      const token = await the.issue({ lifetime: DAY });
      const { expiresAt } = token;
      expect(expiresAt).to.be.at.least(begun + DAY - 1000);
      await the.stage.clock.advance((expiresAt ?? 0) - the.stage.clock.now() - 1000);
      expect(await the.granted(token)).to.deep.equal(['pull']);
      await the.stage.clock.advance(1000);
      expect(await the.granted(token)).to.equal(undefined);
    });

    it('issues a token that never expires, where it has them', async () => {
      const { lifetimes } = the.registry.capabilities;
      if (lifetimes.kind === 'fixed' || !lifetimes.never) return;
      const token = await the.issue({ lifetime: 'Never' });
      expect(token.expiresAt).to.equal(null);
      await the.stage.clock.advance(400 * DAY);
      expect(await the.granted(token)).to.deep.equal(['pull']);
    });

    it('keeps a token within its scope, where it has scopes', async () => {
      const { scope } = the.registry.capabilities;
      if (!scope) return;
      const [first = '', second = ''] = the.stage.scopes;
      const one = await the.issue({ scope: [first] });
      expect(await the.granted(one, `${first}/app`)).to.deep.equal(['pull']);
      expect(await the.granted(one, `${second}/app`)).to.deep.equal([]);
      if (the.stage.outside !== undefined) {
        const all = await the.issue({ scope: [], revision: 2 });
        expect(await the.granted(all, the.stage.outside)).to.deep.equal(['pull']);
      }
      if (!scope.many || the.stage.outside === undefined) return;
      const both = await the.issue({ scope: [first, second], revision: 3 });
      expect(await the.granted(both, `${first}/app`)).to.deep.equal(['pull']);
      expect(await the.granted(both, `${second}/app`)).to.deep.equal(['pull']);
      expect(await the.granted(both, the.stage.outside)).to.deep.equal([]);
    });

    it('reads a value again, where it can', async () => {
      const token = await the.issue();
      if (!the.registry.capabilities.readBack) return expect('read' in the.registry).to.equal(false);
      const again = await the.registry.read?.(token.id, signal);
      expect(again?.value.reveal()).to.equal(token.value.reveal());
      expect(again).to.include({ id: token.id, username: token.username, expiresAt: token.expiresAt });
    });

    it('leaves nothing behind once tokens are revoked and what they hang on is released', async () => {
      const first = await the.issue();
      const second = await the.issue({ revision: 2 });
      await the.registry.revoke?.(first.id, signal);
      await the.registry.revoke?.(second.id, signal);
      await the.release([]);
      expect(the.stage.left()).to.deep.equal([]);
    });

    it('tells tokens of several clusters and RegistryTokens apart', async () => {
      const own = await the.issue();
      const others = [{ clusterId: 'cluster-2' }, { uid: 'another-uid' }];
      const [foreign, other] = [await the.issue(others[0]), await the.issue(others[1])];
      expect(await the.rows()).to.deep.equal([{ id: own.id, revision: 1 }]);
      expect(await the.rows(UID, 'cluster-2')).to.deep.equal([{ id: foreign.id, revision: 1 }]);
      expect(await the.rows('another-uid')).to.deep.equal([{ id: other.id, revision: 1 }]);
    });

    it('gives the shortest lifetime that it says it has, and the next', async () => {
      const { lifetimes } = the.registry.capabilities;
      if (lifetimes.kind === 'fixed') return;
      const { minimum, maximum = Infinity, granularity } = lifetimes;
      const shortest = Math.ceil(minimum / granularity) * granularity;
      const offered = [shortest, shortest + granularity].filter((lifetime) => lifetime <= maximum);
      for (const [index, lifetime] of offered.entries()) {
        const begun = the.stage.clock.now();
        const { expiresAt } = await the.issue({ lifetime, revision: index + 1 });
        expect(expiresAt).to.be.within(begun + lifetime - 1000, begun + lifetime + granularity);
      }
    });

    it('asks nothing once it is given up', async () => {
      const { id } = await the.issue();
      the.stage.sender.restart();
      const reason = new Error('enough');
      const aborted = AbortSignal.abort(reason);
      const { registry } = the;
      const asking = [
        registry.issue(aRequest({ revision: 2, scope: the.firstScope }), aborted),
        the.list((row) => row, aborted),
        registry.revoke?.(id, aborted),
        registry.read?.(id, aborted),
        registry.release?.({ clusterId: 'cluster-1', uid: UID }, [], aborted),
      ];
      const outcomes = await Promise.allSettled(asking.filter((each) => each !== undefined));
      for (const outcome of outcomes) expect(outcome).to.include({ status: 'rejected', reason });
      expect(the.stage.sender.sent).to.deep.equal([]);
    });

    for (const id of ['', '.', '..', '../..', 'a/b', '?all=true', '*', '%2e%2e', '-1', 'nobody', 'a\r\nb'])
      it(`revokes nothing by the id ${JSON.stringify(id)}, whoever wrote that`, async () => {
        const token = await the.issue();
        const outcome = await the.registry.revoke?.(id, signal).catch((error: unknown) => error);
        if (outcome !== false) expect(outcome).to.be.instanceOf(RegistryError);
        expect(await the.granted(token)).to.deep.equal(['pull']);
        expect(await the.rows()).to.deep.equal([{ id: token.id, revision: 1 }]);
      });

    it('says that a value is not there any more, where it can be read again', async () => {
      const { id } = await the.issue();
      await the.registry.revoke?.(id, signal);
      const error = await the.registry.read?.(id, signal).catch((each: unknown) => each);
      if (the.registry.read) expect(error).to.be.instanceOf(RegistryError).with.property('code', 'NotFound');
    });

    it('lists what tokens hang on, where there is such, and deletes it once no token does', async () => {
      const token = await the.issue();
      const identities = (): Promise<{ id: string; uid: string; clusterId: string }[]> =>
        the.list(({ id, identity }) => identity && { id, uid: identity.uid, clusterId: identity.clusterId });
      await the.rows();
      const [one, ...more] = await identities();
      if (!one) return;
      expect(more).to.deep.equal([]);
      expect(one).to.include({ uid: UID, clusterId: 'cluster-1' });
      const error = await the.registry.revoke?.(one.id, signal).catch((each: unknown) => each);
      expect(error).to.be.instanceOf(RegistryError).with.property('code', 'Conflict');
      expect(await the.granted(token)).to.deep.equal(['pull']);
      await the.registry.revoke?.(token.id, signal);
      await the.registry.revoke?.(one.id, signal);
      expect(await the.rows()).to.deep.equal([]);
      expect(await identities()).to.deep.equal([]);
      expect(the.stage.left()).to.deep.equal([]);
    });

    it('keeps what tokens hang on that are to stay', async () => {
      if (!the.registry.release) return;
      const before = await the.issue();
      const wanted = { access: 'ReadWrite', revision: 2 } as const;
      const next = await the.issue(wanted);
      await the.registry.revoke?.(before.id, signal);
      await the.rows();
      const all = the.stage.left();
      await the.release([aRequest({ ...wanted, scope: the.firstScope }).specHash]);
      expect(the.stage.left()).to.have.length.lessThan(all.length);
      expect(await the.granted(next)).to.deep.equal(['pull', 'push']);
      expect(await the.rows()).to.deep.equal([{ id: next.id, revision: 2 }]);
    });

    it('keeps what living tokens hang on, whoever issued them, though it is to go: that is a conflict', async () => {
      if (!the.registry.release) return;
      const token = await the.issue();
      const other = await the.issue({ revision: 2 });
      await the.registry.revoke?.(other.id, signal);
      await the.rows();
      const error: unknown = await the.release([]).catch((each: unknown) => each);
      expect(error).to.be.instanceOf(RegistryError).with.property('code', 'Conflict');
      expect(await the.granted(token)).to.deep.equal(['pull']);
    });

    describeBreakdowns(the);
  });
}

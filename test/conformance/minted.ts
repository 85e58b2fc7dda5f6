import { expect } from 'chai';
import { RegistryError } from '../../src/registry/errors.ts';
import type { IssuedToken, Registry } from '../../src/registry/back-end.ts';
import { registerSecret } from '../support/secrecy.ts';
import type { Fate } from './support/fake-sender.ts';
import { aRequest, granted, rowsOf, type Stage, UID } from './support/stage.ts';

const { signal } = new AbortController();
const DAY = 86_400_000;

/** What every back end promises that creates tokens at the registry. */
export function describeMinted(name: string, prepare: () => Promise<Stage>): void {
  describe(`${name}: a registry that creates tokens`, () => {
    let stage: Stage;
    let registry: Registry;

    beforeEach(async () => {
      stage = await prepare();
      registry = stage.connect();
    });

    async function issue(part: Parameters<typeof aRequest>[0] = {}): Promise<IssuedToken> {
      const scope = registry.capabilities.scope ? stage.scopes.slice(0, 1) : [];
      const issued = await registry.issue(aRequest({ scope, ...part }), signal);
      registerSecret(issued.value.reveal());
      await stage.clock.advance(registry.capabilities.settling.acceptance);
      return issued;
    }
    /** What the operator knows of where tokens can be: of one project, of all, and of two. */
    const scopes = (): string[][] => [
      ...stage.scopes.map((scope) => [scope]),
      ...(stage.outside === undefined ? [] : [[], [...stage.scopes]]),
    ];
    const rows = async (): ReturnType<typeof rowsOf> => {
      await stage.clock.advance(registry.capabilities.settling.listing);
      return rowsOf(registry, scopes());
    };
    const inside = (): string => `${stage.scopes[0] ?? 'team'}/app`;

    it('accepts the credentials of the account, and says whose they are', async () => {
      expect((await stage.verify()).identity).to.be.a('string').that.is.not.empty;
    });

    it('issues a read-only token that pulls and does not push', async () => {
      const token = await issue();
      expect(token.id).to.be.a('string').that.is.not.empty;
      expect(await granted(stage, token, inside())).to.deep.equal(['pull']);
    });

    it('issues a read-write token that pulls and pushes', async () => {
      expect(await granted(stage, await issue({ access: 'ReadWrite' }), inside())).to.deep.equal([
        'pull',
        'push',
      ]);
    });

    it('lists a token with its tag, and without its value', async () => {
      const token = await issue();
      expect(await rows()).to.deep.equal([{ id: token.id, revision: 1 }]);
      const texts = await registry.list?.(scopes(), (row) => JSON.stringify(row), signal);
      expect(texts?.join()).not.to.contain(token.value.reveal());
    });

    it('lists all of many tokens', async () => {
      const count = 230;
      for (let revision = 1; revision <= count; revision++) await issue({ revision });
      const found = await rows();
      expect(found.map(({ revision }) => revision).sort((a, b) => a - b)).to.deep.equal(
        Array.from({ length: count }, (_, index) => index + 1),
      );
    });

    it('issues to several at once as to one after the other', async () => {
      const uids = ['uid-1', 'uid-2', 'uid-3', 'uid-4'];
      const tokens = await Promise.all(uids.map((uid) => issue({ uid })));
      for (const token of tokens) expect(await granted(stage, token, inside())).to.deep.equal(['pull']);
      const found = await Promise.all(uids.map((uid) => rowsOf(registry, scopes(), uid)));
      expect(found.map((each) => each.map(({ id }) => id))).to.deep.equal(tokens.map(({ id }) => [id]));
    });

    it('sends nothing that creates or deletes once the guard says no', async () => {
      const token = await issue();
      const refused = new Error('this process does not lead any more');
      registry = stage.connect(() => {
        throw refused;
      });
      const issuing = await issue({ revision: 2 }).catch((error: unknown) => error);
      expect(issuing).to.equal(refused);
      const revoking = await registry.revoke?.(token.id, signal).catch((error: unknown) => error);
      expect(revoking).to.equal(refused);
      expect(await rows()).to.deep.equal([{ id: token.id, revision: 1 }]);
    });

    it('revokes a token for good', async () => {
      const token = await issue();
      await registry.revoke?.(token.id, signal);
      expect(await granted(stage, token, inside())).to.equal(undefined);
      expect(await rows()).to.deep.equal([]);
    });

    it('takes a token that is gone already for revoked', async () => {
      const token = await issue();
      await registry.revoke?.(token.id, signal);
      await registry.revoke?.(token.id, signal);
    });

    it('keeps the previous token alive beside its successor', async () => {
      const previous = await issue();
      const next = await issue({ revision: 2 });
      expect(await granted(stage, previous, inside())).to.deep.equal(['pull']);
      expect(await granted(stage, next, inside())).to.deep.equal(['pull']);
      await registry.revoke?.(previous.id, signal);
      expect(await granted(stage, next, inside())).to.deep.equal(['pull']);
    });

    it('ends a token at its expiry, and not before', async () => {
      const begun = stage.clock.now();
      const token = await issue({ lifetime: DAY });
      const { expiresAt } = token;
      expect(expiresAt).to.be.at.least(begun + DAY - 1000);
      await stage.clock.advance((expiresAt ?? 0) - stage.clock.now() - 1000);
      expect(await granted(stage, token, inside())).to.deep.equal(['pull']);
      await stage.clock.advance(1000);
      expect(await granted(stage, token, inside())).to.equal(undefined);
    });

    it('issues a token that never expires, where it has them', async () => {
      const { lifetimes } = registry.capabilities;
      if (lifetimes.kind === 'fixed' || !lifetimes.never) return;
      const token = await issue({ lifetime: 'Never' });
      expect(token.expiresAt).to.equal(null);
      await stage.clock.advance(400 * DAY);
      expect(await granted(stage, token, inside())).to.deep.equal(['pull']);
    });

    it('keeps a token within its scope, where it has scopes', async () => {
      const { scope } = registry.capabilities;
      if (!scope) return;
      const [first = '', second = ''] = stage.scopes;
      const one = await issue({ scope: [first] });
      expect(await granted(stage, one, `${first}/app`)).to.deep.equal(['pull']);
      expect(await granted(stage, one, `${second}/app`)).to.deep.equal([]);
      if (stage.outside !== undefined) {
        const all = await issue({ scope: [], revision: 2 });
        expect(await granted(stage, all, stage.outside)).to.deep.equal(['pull']);
      }
      if (!scope.many || stage.outside === undefined) return;
      const both = await issue({ scope: [first, second], revision: 3 });
      expect(await granted(stage, both, `${first}/app`)).to.deep.equal(['pull']);
      expect(await granted(stage, both, `${second}/app`)).to.deep.equal(['pull']);
      expect(await granted(stage, both, stage.outside)).to.deep.equal([]);
    });

    it('reads a value again, where it can', async () => {
      const token = await issue();
      if (!registry.capabilities.readBack) return expect('read' in registry).to.equal(false);
      const again = await registry.read?.(token.id, signal);
      expect(again?.value.reveal()).to.equal(token.value.reveal());
      expect(again).to.include({ id: token.id, username: token.username, expiresAt: token.expiresAt });
    });

    it('leaves nothing behind once tokens are revoked and what they hang on is released', async () => {
      const first = await issue();
      const second = await issue({ revision: 2 });
      await registry.revoke?.(first.id, signal);
      await registry.revoke?.(second.id, signal);
      await registry.release?.({ clusterId: 'cluster-1', uid: UID }, [], signal);
      expect(stage.left()).to.deep.equal([]);
    });

    describe('after a crash or a lost answer at any request of an issue', () => {
      for (const fate of ['never sent', 'broken before its effect', 'answer lost'] satisfies Fate[]) {
        it(`(${fate}) at most one token is there, it is found, and the next revision works`, async () => {
          for (let broken = 0; ; broken++) {
            stage = await prepare();
            registry = stage.connect();
            stage.sender.restart((index) => (index === broken ? fate : 'through'));
            const outcome = await issue().catch((error: unknown) => error);
            const requests = stage.sender.sent.length + (fate === 'never sent' ? 1 : 0);
            if (requests <= broken) break;
            // Another process finds out what came of it.
            stage.sender.restart();
            registry = stage.connect();
            const found = await rows();
            expect(found.length).to.be.at.most(1);
            if (outcome instanceof Error) {
              expect(outcome, `request ${broken}`).to.be.instanceOf(RegistryError);
              const { code } = outcome as RegistryError;
              if (found.length > 0) expect(code).to.equal('Ambiguous');
              for (const { id } of found) await registry.revoke?.(id, signal);
            } else {
              expect(found).to.have.lengthOf(1);
            }
            const next = await issue({ revision: 2 });
            expect(await granted(stage, next, inside())).to.deep.equal(['pull']);
            await registry.revoke?.(next.id, signal);
            for (const { id } of await rows()) await registry.revoke?.(id, signal);
            await registry.release?.({ clusterId: 'cluster-1', uid: UID }, [], signal);
            expect(stage.left(), `request ${broken}`).to.deep.equal([]);
          }
        });
      }
    });

    it('never creates a second token for a request that is repeated, where names tell', async () => {
      if (registry.capabilities.find !== 'name') return;
      await issue();
      const error = await issue().catch((each: unknown) => each);
      expect(error).to.be.instanceOf(RegistryError).with.property('code', 'Ambiguous');
      expect(await rows()).to.have.lengthOf(1);
    });

    describe('an answer with an error becomes a typed error, and names no secret', () => {
      const table: [status: number, issuing: string, listing: string][] = [
        [401, 'Unauthorized', 'Unauthorized'],
        [403, 'Forbidden', 'Forbidden'],
        [429, 'RateLimited', 'RateLimited'],
        [500, 'Ambiguous', 'Unavailable'],
        [502, 'Ambiguous', 'Unavailable'],
        [504, 'Ambiguous', 'Unavailable'],
      ];
      for (const [status, issuing, listing] of table) {
        it(`${status}: ${issuing} of an issue, ${listing} of a list`, async () => {
          await issue();
          for (const [operation, code, act] of [
            [stage.operations.issue, issuing, () => issue({ revision: 2 })],
            [stage.operations.list, listing, () => rows()],
          ] as const) {
            registry = stage.connect();
            stage.fake.faults.clear();
            stage.fake.faults.add({ operation, kind: 'status', status });
            const error = await act().catch((each: unknown) => each);
            expect(error).to.be.instanceOf(RegistryError).with.property('code', code);
            for (const value of stage.fake.values()) expect(String(error)).not.to.contain(value);
          }
        });
      }

      it('a list that is cut off is no list', async () => {
        await issue();
        stage.fake.faults.add({ operation: stage.operations.list, kind: 'truncated-json' });
        const error = await rows().catch((each: unknown) => each);
        expect(error).to.be.instanceOf(RegistryError).with.property('code', 'Unavailable');
      });

      it('a pause that the registry asks for is told', async () => {
        stage.fake.faults.add({
          operation: stage.operations.issue,
          kind: 'status',
          status: 429,
          retryAfter: 7,
        });
        const error = await issue().catch((each: unknown) => each);
        expect(error).to.include({ code: 'RateLimited', retryAfter: 7000 });
      });
    });
  });
}

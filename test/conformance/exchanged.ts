import { expect } from 'chai';
import { RegistryError } from '../../src/registry/errors.ts';
import type { IssuedToken, Registry } from '../../src/registry/port.ts';
import { registerSecret } from '../support/secrecy.ts';
import type { Fate } from './support/fake-sender.ts';
import { aRequest, type Stage } from './support/stage.ts';

const { signal } = new AbortController();
const SECOND = 1_000;
const MINUTE = 60_000;

/** A back end that exchanges its credentials for tokens, with its fake. */
export interface ExchangeStage extends Omit<Stage, 'operations' | 'left' | 'secrets' | 'verify'> {
  /** As whoever has the credentials. */
  verify(guard?: () => void): Promise<{ identity: string }>;
  /** Operations of the fake that an exchange is made of, in order; the last gives the token. */
  exchange: readonly string[];
  /** What a credential can do in a repository; undefined when it is refused. */
  granted(token: IssuedToken, repository: string): Promise<string[] | undefined>;
  /** Tokens that the fake has given out. */
  issued(): number;
}

/** What every back end promises whose tokens are short-lived, and nowhere to be listed or revoked. */
export function describeExchanged(name: string, prepare: () => Promise<ExchangeStage>): void {
  describe(`${name}: a registry that exchanges credentials for tokens`, () => {
    let stage: ExchangeStage;
    let registry: Registry;

    beforeEach(async () => {
      stage = await prepare();
      registry = stage.connect();
    });

    const scoped = (): boolean => registry.capabilities.scope !== undefined;
    const access = (): 'ReadOnly' | 'ReadWrite' => registry.capabilities.access[0] ?? 'ReadOnly';
    async function issue(part: Parameters<typeof aRequest>[0] = {}): Promise<IssuedToken> {
      const scope = scoped() ? stage.scopes.slice(0, 1) : [];
      const token = await registry.issue(aRequest({ access: access(), scope, ...part }), signal);
      registerSecret(token.value.reveal());
      return token;
    }
    const failureOf = (promise: Promise<unknown>): Promise<RegistryError> =>
      promise.then(
        () => expect.fail('it succeeded'),
        (error: unknown) => error as RegistryError,
      );
    const inside = (): string => stage.scopes[0] ?? 'team-a/app';
    const life = ({ expiresAt }: IssuedToken): number => (expiresAt ?? 0) - stage.clock.now();

    it('says that there is nothing to find, read again, revoke or list', () => {
      expect(registry.capabilities).to.include({
        issue: 'exchanged',
        find: 'none',
        revoke: false,
        readBack: false,
      });
      for (const method of ['read', 'revoke', 'list', 'release']) expect(method in registry).to.equal(false);
    });

    it('accepts the credentials of the account, and says whose they are', async () => {
      expect((await stage.verify()).identity).to.be.a('string').that.is.not.empty;
    });

    it('gives a token for each access that it has, which can do that and no more', async () => {
      for (const each of registry.capabilities.access) {
        const token = await issue({ access: each });
        expect(await stage.granted(token, inside())).to.deep.equal(
          each === 'ReadOnly' ? ['pull'] : ['pull', 'push'],
        );
      }
    });

    it('keeps a token within its scope, where it has scopes', async () => {
      const [first = '', second = ''] = stage.scopes;
      if (!scoped()) return;
      const one = await issue({ scope: [first] });
      expect(await stage.granted(one, first)).to.deep.equal(['pull']);
      expect(await stage.granted(one, second)).to.deep.equal([]);
      const both = await issue({ scope: [second, first] });
      expect(await stage.granted(both, first)).to.deep.equal(['pull']);
      expect(await stage.granted(both, second)).to.deep.equal(['pull']);
      if (stage.outside === undefined) return;
      expect(await stage.granted(both, stage.outside)).to.deep.equal([]);
      expect(await stage.granted(await issue({ scope: [] }), stage.outside)).to.deep.equal(['pull']);
    });

    it('tells the time at which a token ends, and it ends then and not before', async () => {
      const token = await issue();
      const { lifetimes } = registry.capabilities;
      expect(life(token)).to.be.within(
        MINUTE,
        lifetimes.kind === 'fixed' ? lifetimes.expected + SECOND : Infinity,
      );
      await stage.clock.advance(life(token) - SECOND);
      expect(await stage.granted(token, inside())).not.to.equal(undefined);
      await stage.clock.advance(2 * SECOND);
      expect(await stage.granted(token, inside())).to.equal(undefined);
    });

    it('gives a token an id that tells nothing of its value', async () => {
      const { id, value } = await issue();
      expect(id).to.be.a('string').that.is.not.empty;
      for (let at = 0; at + 8 <= id.length; at++) expect(value.reveal()).not.to.contain(id.slice(at, at + 8));
    });

    describe('one exchange serves all that ask for the same', () => {
      it('at once', async () => {
        const tokens = await Promise.all(['a', 'b', 'c', 'd'].map((uid) => issue({ uid })));
        expect(stage.issued()).to.equal(1);
        expect(new Set(tokens.map(({ id }) => id)).size).to.equal(1);
      });

      it('one after the other, for half of its life', async () => {
        const first = await issue({ uid: 'a' });
        await stage.clock.advance(life(first) / 2 - SECOND);
        expect((await issue({ uid: 'b' })).id).to.equal(first.id);
        await stage.clock.advance(2 * SECOND);
        const next = await issue({ uid: 'c' });
        expect(next.id).not.to.equal(first.id);
        expect(next.expiresAt).to.be.greaterThan(first.expiresAt ?? 0);
        expect(stage.issued()).to.equal(2);
      });

      it('and a crash between the exchange and its use costs none', async () => {
        const first = await issue({ revision: 1 });
        await stage.clock.advance(5 * MINUTE);
        expect((await issue({ revision: 1 })).id).to.equal(first.id);
      });

      it('but whoever asks for a successor gets one, and then all others do', async () => {
        const first = await issue({ uid: 'a', revision: 1 });
        await issue({ uid: 'b', revision: 1 });
        await stage.clock.advance(2 * MINUTE);
        const next = await issue({ uid: 'a', revision: 2 });
        expect(next.id).not.to.equal(first.id);
        expect((await issue({ uid: 'b', revision: 2 })).id).to.equal(next.id);
        expect((await issue({ uid: 'c', revision: 1 })).id).to.equal(next.id);
        expect(stage.issued()).to.equal(2);
        expect(await stage.granted(first, inside())).not.to.equal(undefined);
      });

      it('and no two within a minute, however often one asks for a successor', async () => {
        const first = await issue({ revision: 1 });
        for (let revision = 2; revision < 20; revision++) {
          await stage.clock.advance(2 * SECOND);
          expect((await issue({ revision })).id).to.equal(first.id);
        }
      });

      it('and those that ask for something else have one of their own', async () => {
        if (!scoped()) return;
        const [first = '', second = ''] = stage.scopes;
        const ids = [
          await issue({ scope: [first, second] }),
          await issue({ scope: [second, first] }),
          await issue({ scope: [second] }),
          await issue({ scope: [second], access: 'ReadWrite' }),
        ].map(({ id }) => id);
        expect(ids[0]).to.equal(ids[1]);
        expect(new Set(ids).size).to.equal(3);
        expect(stage.issued()).to.equal(3);
      });

      it('and after a restart one exchange for each is enough', async () => {
        await issue({ uid: 'a' });
        await stage.clock.advance(2 * MINUTE);
        registry = stage.connect();
        await Promise.all(['a', 'b', 'c'].map((uid) => issue({ uid })));
        await issue({ uid: 'd' });
        expect(stage.issued()).to.equal(2);
      });

      it('goes on when one of those who wait for it leaves, and ends when all have left', async () => {
        const operation = stage.exchange.at(-1) ?? '';
        stage.fake.faults.add({ operation, kind: 'slow', milliseconds: 10 * SECOND, times: 1 });
        const leaving = new AbortController();
        const request = aRequest({ access: access(), scope: scoped() ? stage.scopes.slice(0, 1) : [] });
        const left = failureOf(registry.issue(request, leaving.signal));
        const stayed = issue({ uid: 'b' });
        await settled();
        leaving.abort(new Error('left'));
        expect(await left).to.have.property('message', 'left');
        await stage.clock.advance(10 * SECOND);
        expect((await stayed).id).to.be.a('string');
        expect(stage.issued()).to.equal(1);
      });
    });

    it('asks the guard before it exchanges, and sends nothing when that objects', async () => {
      registry = stage.connect(() => {
        throw new Error('not the leader any more');
      });
      stage.sender.restart();
      expect(await failureOf(issue())).to.have.property('message', 'not the leader any more');
      expect(stage.sender.sent).to.deep.equal([]);
      expect(stage.issued()).to.equal(0);
    });

    it('verifies without asking the guard', async () => {
      const refuse = (): void => {
        throw new Error('not the leader any more');
      };
      expect((await stage.verify(refuse)).identity).to.be.a('string');
    });

    describe('after a crash or a lost answer at any request of an exchange', () => {
      for (const fate of ['never sent', 'broken before its effect', 'answer lost'] satisfies Fate[]) {
        it(`(${fate}) nothing is open, and the next one works after a pause`, async () => {
          for (let broken = 0; ; broken++) {
            stage = await prepare();
            registry = stage.connect();
            stage.sender.restart((index) => (index === broken ? fate : 'through'));
            const outcome = await issue().catch((error: unknown) => error);
            if (!(outcome instanceof Error)) {
              expect(broken).to.equal(stage.exchange.length);
              break;
            }
            expect(outcome, `request ${broken}`).to.be.instanceOf(RegistryError);
            expect(outcome).to.have.property('code', 'Unavailable');
            stage.sender.restart();
            await stage.clock.advance(6 * SECOND);
            expect(await stage.granted(await issue(), inside())).not.to.equal(undefined);
          }
        });
      }
    });

    describe('an answer with an error becomes a typed error, is shared for a while, and names no secret', () => {
      const table: [status: number, code: string][] = [
        [400, 'InvalidRequest'],
        [401, 'Unauthorized'],
        [403, 'Forbidden'],
        [429, 'RateLimited'],
        [500, 'Unavailable'],
        [502, 'Unavailable'],
        [503, 'Unavailable'],
      ];
      for (const [status, code] of table) {
        it(`${status}: ${code}`, async () => {
          for (const operation of stage.exchange) {
            registry = stage.connect();
            stage.fake.faults.clear();
            stage.fake.faults.add({ operation, kind: 'status', status });
            stage.sender.restart();
            const errors = await Promise.all(['a', 'b', 'c'].map((uid) => failureOf(issue({ uid }))));
            errors.push(await failureOf(issue({ uid: 'd' })));
            for (const error of errors) {
              expect(error, operation).to.be.instanceOf(RegistryError).with.property('code', code);
              for (const value of stage.fake.values()) expect(String(error)).not.to.contain(value);
            }
            expect(errors[3]).to.include({ unsent: true });
            expect(stage.sender.sent.length).to.equal(stage.exchange.indexOf(operation) + 1);
            stage.fake.faults.clear();
            await stage.clock.advance(MINUTE + SECOND);
            expect((await issue()).id).to.be.a('string');
          }
        });
      }

      for (const kind of ['html', 'truncated-json', 'empty'] as const) {
        it(`${kind}: Unavailable`, async () => {
          for (const operation of stage.exchange) {
            registry = stage.connect();
            stage.fake.faults.clear();
            stage.fake.faults.add({ operation, kind });
            const error = await failureOf(issue());
            expect(error, operation).to.be.instanceOf(RegistryError).with.property('code', 'Unavailable');
            for (const value of stage.fake.values()) expect(String(error)).not.to.contain(value);
          }
        });
      }

      it('a token that has expired on arrival is none', async () => {
        stage.fake.faults.add({ operation: stage.exchange.at(-1) ?? '', kind: 'expired', times: 1 });
        expect(await failureOf(issue())).to.have.property('code', 'Unavailable');
      });

      it('a pause that the registry asks for is told, and kept', async () => {
        const operation = stage.exchange.at(-1) ?? '';
        stage.fake.faults.add({ operation, kind: 'status', status: 429, retryAfter: 30, times: 1 });
        expect(await failureOf(issue())).to.include({ code: 'RateLimited', retryAfter: 30 * SECOND });
        await stage.clock.advance(29 * SECOND);
        expect(await failureOf(issue())).to.include({ code: 'RateLimited', unsent: true });
        await stage.clock.advance(2 * SECOND);
        expect((await issue()).id).to.be.a('string');
      });
    });
  });
}

/** Lets everything happen that waits for nothing but promises and modules that are loaded. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

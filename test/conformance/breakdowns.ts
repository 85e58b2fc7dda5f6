import { expect } from 'chai';
import { inspect } from 'node:util';
import { RegistryError } from '../../src/registry/errors.ts';
import type { Fate } from './support/fake-sender.ts';
import type { Minting } from './support/minting.ts';
import { aRequest, UID } from './support/stage.ts';

const { signal } = new AbortController();
/** Milliseconds that a process leaves a service alone which failed once. */
const MAX_PAUSE = 60_000;
const FATES = ['never sent', 'broken before its effect', 'answer lost'] satisfies Fate[];

/** What every back end promises of requests that break off, and of answers that are errors. */
export function describeBreakdowns(the: Minting): void {
  /** What became of an act with one request of it broken; undefined when it has no such request. */
  async function broken(
    index: number,
    fate: Fate,
    act: () => Promise<unknown>,
  ): Promise<{ outcome: unknown } | undefined> {
    const { sender } = the.stage;
    sender.restart((each) => (each === index ? fate : 'through'));
    const outcome = await act().catch((error: unknown) => error);
    const requests = sender.asked;
    sender.restart();
    if (outcome instanceof Error)
      expect(outcome, `request ${index}`).to.be.instanceOf(RegistryError).and.satisfy(holdsNoSecret);
    return requests <= index ? undefined : { outcome };
  }

  const holdsNoSecret = (error: unknown): boolean => {
    const text = `${String(error)} ${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`;
    return [...the.stage.fake.values(), ...the.stage.secrets].every((value) => !text.includes(value));
  };

  describe('after a crash or a lost answer at any request of an issue', () => {
    for (const fate of FATES)
      for (const finder of ['another process', 'the same process'])
        it(`(${fate}) at most one token is there, ${finder} finds it, and the next revision works`, async () => {
          for (let index = 0; ; index++) {
            await the.begin();
            const issue = await broken(index, fate, () => the.issue());
            if (!issue) break;
            if (finder === 'another process') the.restart();
            else await the.stage.clock.advance(MAX_PAUSE);
            const found = await the.rows();
            expect(found.length).to.be.at.most(1);
            if (issue.outcome instanceof RegistryError) {
              if (found.length > 0) expect(issue.outcome.code).to.equal('Ambiguous');
              for (const { id } of found) await the.registry.revoke?.(id, signal);
            } else {
              expect(found).to.have.lengthOf(1);
            }
            const next = await the.issue({ revision: 2 });
            expect(await the.granted(next)).to.deep.equal(['pull']);
            await the.clear();
            expect(the.stage.left(), `request ${index}`).to.deep.equal([]);
          }
        });
  });

  describe('after a crash or a lost answer at any request that deletes', () => {
    const deletions: [what: string, act: (id: string) => Promise<unknown> | undefined][] = [
      ['a revocation', (id) => the.registry.revoke?.(id, signal)],
      ['a release', () => the.registry.release?.({ clusterId: 'cluster-1', uid: UID }, [], signal)],
    ];
    for (const fate of FATES)
      for (const [what, act] of deletions)
        it(`(${fate}) ${what} can be repeated`, async () => {
          for (let index = 0; ; index++) {
            await the.begin();
            const token = await the.issue();
            if (what === 'a release') await the.registry.revoke?.(token.id, signal);
            await the.rows();
            the.restart();
            const deletion = await broken(index, fate, async () => act(token.id));
            if (!deletion) break;
            the.restart();
            await act(token.id);
            expect(await the.granted(token), `request ${index}`).to.equal(undefined);
            if (what === 'a release') expect(the.stage.left(), `request ${index}`).to.deep.equal([]);
            await the.clear();
            expect(the.stage.left(), `request ${index}`).to.deep.equal([]);
          }
        });
  });

  it('a list that breaks off at any request is no list', async () => {
    await the.issue();
    await the.rows();
    for (const fate of FATES)
      for (let index = 0; ; index++) {
        the.restart();
        const list = await broken(index, fate, () => the.rows());
        if (!list) break;
        expect(list.outcome).to.be.instanceOf(RegistryError).with.property('code', 'Unavailable');
      }
  });

  it('never creates a second token for a request that is repeated, where names tell', async () => {
    if (the.registry.capabilities.find !== 'name') return;
    await the.issue();
    const error = await the.issue().catch((each: unknown) => each);
    expect(error).to.be.instanceOf(RegistryError).with.property('code', 'Ambiguous');
    expect(await the.rows()).to.have.lengthOf(1);
  });

  describe('an answer with an error becomes a typed error, and names no secret', () => {
    const table: [status: number, issuing: string, others: string][] = [
      [401, 'Unauthorized', 'Unauthorized'],
      [403, 'Forbidden', 'Forbidden'],
      [429, 'RateLimited', 'RateLimited'],
      [500, 'Ambiguous', 'Unavailable'],
      [502, 'Ambiguous', 'Unavailable'],
      [504, 'Ambiguous', 'Unavailable'],
    ];
    for (const [status, issuing, others] of table)
      it(`${status}: ${issuing} of an issue, ${others} of a list and a revocation`, async () => {
        const { id } = await the.issue();
        const { operations, fake } = the.stage;
        for (const [operation, code, act] of [
          [operations.issue, issuing, () => the.issue({ revision: 2 })],
          [operations.list, others, () => the.rows()],
          [operations.revoke, others, async () => the.registry.revoke?.(id, signal)],
        ] as const) {
          the.restart();
          fake.faults.clear();
          fake.faults.add({ operation, kind: 'status', status });
          const error = await act().catch((each: unknown) => each);
          expect(error, operation).to.be.instanceOf(RegistryError).with.property('code', code);
          expect(error).to.satisfy(holdsNoSecret);
        }
      });

    const odd = ['html', 'reset', 'drop-after-effect', 'truncated-json', 'empty'] as const;
    for (const kind of odd)
      it(`${kind}: nobody knows whether a token was issued, and there is no list`, async () => {
        const { operations, fake } = the.stage;
        fake.faults.add({ operation: operations.issue, kind, times: 1 });
        const issuing = await the.issue().catch((each: unknown) => each);
        expect(issuing).to.be.instanceOf(RegistryError).with.property('code', 'Ambiguous');
        expect(issuing).to.satisfy(holdsNoSecret);
        fake.faults.clear();
        the.restart();
        expect((await the.rows()).length).to.be.at.most(1);
        fake.faults.add({ operation: operations.list, kind });
        const listing = await the.rows().catch((each: unknown) => each);
        expect(listing).to.be.instanceOf(RegistryError).with.property('code', 'Unavailable');
      });

    it('a limit of what an account can have is told, costs no token, and is over when there is room', async () => {
      const previous = await the.issue();
      await the.rows();
      for (const [index, limit] of (the.stage.limits ?? []).entries()) {
        const next = { access: index === 0 ? 'ReadOnly' : 'ReadWrite', revision: 2 } as const;
        limit('what there is');
        const error = await the.issue(next).catch((each: unknown) => each);
        expect(error, `limit ${index}`)
          .to.be.instanceOf(RegistryError)
          .with.property('code', 'QuotaExceeded');
        expect(await the.rows()).to.deep.equal([{ id: previous.id, revision: 1 }]);
        expect(await the.granted(previous)).to.deep.equal(['pull']);
        limit('more');
        const { id } = await the.issue(next);
        await the.registry.revoke?.(id, signal);
        await the.rows();
        await the.release([aRequest({ scope: the.firstScope }).specHash]);
        await the.rows();
      }
    });

    it('a pause that the registry asks for is told', async () => {
      const { operations, fake } = the.stage;
      fake.faults.add({ operation: operations.issue, kind: 'status', status: 429, retryAfter: 7 });
      const error = await the.issue().catch((each: unknown) => each);
      expect(error).to.include({ code: 'RateLimited', retryAfter: 7000 });
    });
  });

  it('no secret stands in what is asked for: proxies write that down', async () => {
    const token = await the.issue();
    await the.rows();
    await the.registry.revoke?.(token.id, signal);
    const asked = decodeURIComponent(the.stage.sender.urls.join(' '));
    const secrets = [...the.stage.fake.values(), ...the.stage.secrets];
    expect(secrets.filter((value) => asked.includes(value))).to.have.lengthOf(0);
  });
}

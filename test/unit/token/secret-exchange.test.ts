import { expect } from 'chai';
import * as fc from 'fast-check';
import { readTokenSpec, type RegistryToken } from '../../../src/api/registry-token.ts';
import { isWanted, rank, wantedSecret } from '../../../src/token/secret/claimants.ts';
import { OPERATOR } from '../../../src/api/names.ts';
import { secretManifest, type Secret } from '../../../src/token/secret/secret.ts';
import { viewSecret } from '../../../src/token/secret/secret-view.ts';
import { aCredential, anIssuedToken, at, HOST } from '../../support/builders.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const FIELDS = { 'f:data': { 'f:.dockerconfigjson': {} } };

/** RegistryTokens of one namespace, of growing age backwards, and their Secrets by name. */
class Namespace {
  readonly tokens: RegistryToken[];
  readonly secrets = new Map<string, Secret>();
  #uids = 0;

  constructor(count: number) {
    this.tokens = NAMES.slice(0, count).map((name, index) =>
      anIssuedToken({
        metadata: { name, uid: `uid-${name}`, creationTimestamp: at(index) },
        spec: { secret: { name } },
        status: { token: { id: `token-${name}` } },
      }),
    );
  }

  /** Uids of the Secrets, which pods know them by. */
  get uids(): Record<string, string> {
    return Object.fromEntries([...this.secrets].map(([name, { metadata }]) => [name, metadata.uid]));
  }

  want(index: number, name: string): void {
    const token = this.tokens[index];
    if (token) this.tokens[index] = { ...token, spec: { ...token.spec, secret: { name } } };
  }

  /** One look of the operator at one RegistryToken. @returns whether it changed anything */
  step(index: number): boolean {
    const token = this.tokens[index];
    if (!token) return false;
    const name = wantedSecret(token);
    const { older, younger } = rank(token, this.#claimants(name));
    if (older !== undefined) return false;
    const find = (uid: string) => this.tokens.find(({ metadata }) => metadata.uid === uid);
    const seen = viewSecret(this.secrets.get(name), token, readTokenSpec(token), [HOST], {
      complete: true,
      find,
      younger,
    });
    if (seen.state === 'foreign') return false;
    if (seen.state === 'ours' && seen.current) return this.#removeFormer(token);
    this.#write(token, seen.state === 'ours' ? seen.uid : `secret-${++this.#uids}`);
    return true;
  }

  #write(token: RegistryToken, uid: string): void {
    const credential = aCredential({ tokenId: token.status?.token?.id ?? '' });
    const manifest = secretManifest({ token, spec: readTokenSpec(token), host: HOST, credential });
    const { metadata, type, data } = manifest;
    const managedFields = [{ manager: OPERATOR, operation: 'Apply', fieldsV1: FIELDS }];
    const stored = { resourceVersion: '1', creationTimestamp: at(0) };
    this.secrets.set(metadata.name, { metadata: { ...metadata, ...stored, uid, managedFields }, type, data });
  }

  /** What a RegistryToken no longer wants goes, unless another wants it. */
  #removeFormer(token: RegistryToken): boolean {
    const former = [...this.secrets].filter(
      ([name, { metadata }]) =>
        name !== wantedSecret(token) &&
        metadata.labels?.['pullsecrets.dev/registrytoken-uid'] === token.metadata.uid &&
        !isWanted(token, this.#claimants(name)),
    );
    for (const [name] of former) this.secrets.delete(name);
    return former.length > 0;
  }

  #claimants(name: string): RegistryToken[] {
    return this.tokens.filter((token) => wantedSecret(token) === name);
  }

  /** Looks at all of them in turn until nothing changes. @returns how many rounds that took */
  settle(order: readonly number[]): number {
    for (let round = 1; ; round++) {
      const changed = order.map((index) => this.step(index));
      if (!changed.includes(true)) return round;
      if (round > 10) throw new Error('it does not come to rest');
    }
  }

  /** Identifier of the token in each Secret. */
  get held(): Record<string, string | undefined> {
    return Object.fromEntries(
      [...this.secrets].map(([name, { metadata }]) => [
        name,
        metadata.annotations?.['pullsecrets.dev/token-id'],
      ]),
    );
  }

  /** As it should be: each name that is wanted has a Secret with the token of the oldest that wants it. */
  get wanted(): Record<string, string | undefined> {
    const oldest = this.tokens.filter(
      (token) => rank(token, this.#claimants(wantedSecret(token))).older === undefined,
    );
    return Object.fromEntries(oldest.map((token) => [wantedSecret(token), token.status?.token?.id]));
  }
}

/** Every name that is wanted is as it should be; a RegistryToken that lost its name to an older one keeps the Secret that it had. */
function expectSettled(there: Namespace): void {
  const { held, wanted } = there;
  expect(held).to.include(wanted);
  const happy = new Set(Object.values(wanted));
  for (const [name, id] of Object.entries(held))
    if (!Object.hasOwn(wanted, name)) expect(happy.has(id), `${name} holds ${id}`).to.equal(false);
}

describe('RegistryTokens that exchange the names of their Secrets', () => {
  const cycles: [what: string, wants: string[]][] = [
    ['two swap', ['b', 'a']],
    ['three go round', ['b', 'c', 'a']],
    ['three move up, the last to a new name', ['b', 'c', 'd']],
    ['two swap and a third wants what the older gave up', ['b', 'a', 'a']],
  ];
  for (const [what, wants] of cycles)
    it(`come to what they want, whoever is looked at first: ${what}`, () => {
      for (const order of [
        wants.map((_, index) => index),
        wants.map((_, index) => wants.length - 1 - index),
      ]) {
        const there = new Namespace(wants.length);
        there.settle(order);
        const { uids } = there;
        wants.forEach((name, index) => there.want(index, name));
        there.settle(order);
        expectSettled(there);
        for (const [name, uid] of Object.entries(there.uids)) expect(uid).to.equal(uids[name] ?? uid);
      }
    });

  it('come to what they want after any renaming, with looks in between, in any order; a Secret that one wants is never deleted', () => {
    const renaming = fc.record({ token: fc.nat(4), name: fc.constantFrom(...NAMES, 'f') });
    const look = fc.record({ look: fc.nat(4) });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(renaming, look), { maxLength: 30 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        (events, order) => {
          const there = new Namespace(5);
          there.settle(order);
          for (const event of events) {
            if ('token' in event) {
              there.want(event.token, event.name);
              continue;
            }
            const before = there.uids;
            there.step(event.look);
            for (const name of Object.keys(there.wanted))
              if (before[name] !== undefined) expect(there.uids[name]).to.equal(before[name]);
          }
          there.settle(order);
          expectSettled(there);
        },
      ),
      { numRuns: 150 },
    );
  });
});

import { expect } from 'chai';
import * as fc from 'fast-check';
import type { KubeObject } from '../../../src/common/objects.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { Reflector } from '../../../src/kube/cache/reflector.ts';
import type { Change } from '../../../src/kube/cache/replica.ts';
import { PODS } from '../../../src/kube/client/resources.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from './support/logs.ts';
import { ModelServer, refuse } from './support/model-server.ts';

const THINGS = '/api/v1/pods';

/** Follows changes as a controller would, and objects to any that makes no sense. */
class Follower {
  readonly objects = new Map<string, KubeObject>();

  follow({ type, object, previous }: Change<KubeObject>): void {
    const { name } = object.metadata;
    const known = this.objects.get(name);
    expect(previous, `${type} ${name}: previous`).to.equal(known);
    expect(known !== undefined, `${type} ${name}: known`).to.equal(type !== 'added');
    if (type === 'updated') expect(object.metadata.uid).to.equal(known!.metadata.uid);
    if (type === 'deleted') this.objects.delete(name);
    else this.objects.set(name, object);
  }
}

interface Step {
  say: string;
  do: (server: ModelServer, clock: VirtualClock) => unknown;
}

const name = fc.constantFrom('a', 'b', 'c', 'd');
const steps: fc.Arbitrary<Step>[] = [
  fc.tuple(name, fc.integer({ min: 0, max: 9 })).map(([thing, size]) => ({
    say: `put ${thing} ${size}`,
    do: (server) => server.put(THINGS, thing, { size }),
  })),
  name.map((thing) => ({ say: `remove ${thing}`, do: (server) => server.remove(THINGS, thing) })),
  fc.constant({ say: 'bookmark', do: (server) => server.bookmark() }),
  fc.constant({ say: 'forget history', do: (server) => server.compact() }),
  fc.constantFrom('clean', 'broken').map((how) => ({
    say: `end the watch: ${how}`,
    do: (server) =>
      server.watches.forEach((watch) => watch.end(how === 'clean' ? undefined : new KubeError('broken'))),
  })),
  fc
    .constantFrom('{"type":', '{"type":"ERROR","object":{"kind":"Status","code":410}}', '[]', ' ')
    .map((line) => ({
      say: `send ${line}`,
      do: (server) => server.watches.forEach((watch) => watch.send(line)),
    })),
  fc.constantFrom(0, 401, 404, 410, 429, 500).map((code) => ({
    say: code ? `refuse with ${code}` : 'accept again',
    do: (server) => {
      server.fault = (call) => {
        if (code) throw refuse(call, code, code === 410 ? 'Expired' : 'Refused', 3);
        return undefined;
      };
    },
  })),
  name.map((thing) => ({
    say: `replace ${thing} while nobody watches`,
    do: (server) => {
      for (const watch of server.watches) watch.end(new KubeError('broken'));
      server.remove(THINGS, thing);
      server.put(THINGS, thing);
      server.compact();
    },
  })),
  fc.integer({ min: 0, max: 20_000 }).map((milliseconds) => ({
    say: `wait ${milliseconds}`,
    do: (_, clock) => clock.advance(milliseconds),
  })),
];

const described = (step: Step): Step => Object.assign(step, { [fc.toStringMethod]: () => step.say });

describe('Reflector against its model', () => {
  it('ends up with what the server has, and has told of every step there', async () => {
    const sequences = fc.array(fc.oneof(...steps).map(described), { maxLength: 40 });
    const property = fc.asyncProperty(
      sequences,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (sequence, chance) => {
        const server = new ModelServer();
        const clock = new VirtualClock();
        const follower = new Follower();
        const stop = new AbortController();
        const logs = new Logs();
        const reflector = new Reflector({
          client: new KubeClient(server, { fieldManager: 'test' }),
          resource: PODS,
          indexes: { size: (object) => [String((object as { size?: number }).size)] },
          clock,
          random: () => chance,
          logger: logs,
        });
        reflector.onChange((change) => follower.follow(change));
        const running = reflector.run(stop.signal);
        for (const step of sequence) {
          await step.do(server, clock);
          await settle();
        }
        server.fault = () => undefined;
        await clock.advance(130_000);
        const expected = server.objects<KubeObject & { size: number }>(THINGS);
        const bySize = (size: number): unknown[] => reflector.store.byIndex('size', String(size));
        expect(logs.messages('error')).to.deep.equal([]);
        expect(reflector.synced).to.equal(true);
        expect(simple(reflector.store.list())).to.have.deep.members(simple(expected));
        expect(simple(follower.objects.values())).to.have.deep.members(simple(expected));
        for (let size = 0; size <= 9; size++)
          expect(bySize(size)).to.have.length(expected.filter((object) => object.size === size).length);
        stop.abort();
        await running;
        expect(clock.pending).to.equal(0);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });
});

const simple = (objects: Iterable<KubeObject>): unknown[] =>
  [...objects].map((object) => [
    object.metadata.name,
    object.metadata.uid,
    (object as { size?: number }).size,
  ]);

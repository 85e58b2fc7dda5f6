import { expect } from 'chai';
import type { KubeObject } from '../../../src/common/objects.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import type { EventManifest } from '../../../src/kube/events/event-aggregator.ts';
import { refusal } from '../../../src/kube/client/errors.ts';
import { EventRecorder } from '../../../src/kube/events/event-recorder.ts';
import { LeadershipLost } from '../../../src/kube/election/leadership-lost.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from './support/logs.ts';
import { ModelServer, refuse } from './support/model-server.ts';

const thing = (name: string, namespace?: string): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: {
    name,
    ...(namespace && { namespace }),
    uid: `uid-of-${name}`,
    resourceVersion: '5',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
});

const fail = (call: Call, code: number, reason: string): never => {
  throw refuse(call, code, reason);
};

describe('EventRecorder', () => {
  let server: ModelServer;
  let clock: VirtualClock;
  let logs: Logs;
  let recorder: EventRecorder;
  const a = thing('a', 'ns');

  beforeEach(() => {
    server = new ModelServer();
    clock = new VirtualClock(Date.parse('2026-03-01T12:00:00.678Z'));
    logs = new Logs();
    const client = new KubeClient(server, { fieldManager: 'test' });
    recorder = new EventRecorder({
      client,
      clock,
      component: 'example.com/op',
      instance: 'pod-1',
      logger: logs,
    });
  });

  const written = (): EventManifest[] =>
    server.objects('/apis/events.k8s.io/v1/namespaces/ns/events') as unknown as EventManifest[];
  const methods = (): string[] => server.calls.map(({ method }) => method);

  for (const [what, name] of [
    ['the longest name', 'n'.repeat(253)],
    ['a name that has a dot where it is cut', `${'n'.repeat(237)}.${'m'.repeat(15)}`],
  ] as const)
    it(`names an Event about an object with ${what} as the server allows it`, async () => {
      recorder.event(thing(name, 'ns'), 'Normal', 'Rotated', 'Token replaced');
      await recorder.flush();
      const [event] = written();
      expect(event?.metadata.name.length).to.be.within(200, 253);
      expect(event?.metadata.name).to.match(
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      );
      expect(event?.regarding.name).to.equal(name);
    });

  it('writes an Event about the object', async () => {
    recorder.event(a, 'Normal', 'Rotated', 'Token replaced');
    await recorder.flush();
    const { metadata, ...event } = written()[0]!;
    expect(metadata.name).to.match(/^a\.[0-9a-f]+$/);
    expect(event).to.deep.equal({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: '2026-03-01T12:00:00.678000Z',
      reportingController: 'example.com/op',
      reportingInstance: 'pod-1',
      action: 'Rotated',
      reason: 'Rotated',
      type: 'Normal',
      note: 'Token replaced',
      regarding: {
        apiVersion: 'example.com/v1',
        kind: 'Thing',
        namespace: 'ns',
        name: 'a',
        uid: 'uid-of-a',
        resourceVersion: '5',
      },
    });
    expect(clock.pending).to.equal(0);
  });

  it('puts Events about cluster-scoped objects into namespace default, with the reason as action', async () => {
    recorder.event(thing('c'), 'Warning', 'Broken', 'It broke');
    await recorder.flush();
    expect(server.calls[0]!.path).to.equal('/apis/events.k8s.io/v1/namespaces/default/events');
    expect(server.calls[0]!.body).to.include({ action: 'Broken' });
  });

  it('counts repetitions within six minutes as a series', async () => {
    for (let n = 0; n < 3; n++) {
      recorder.event(a, 'Warning', 'Failed', 'It failed');
      await recorder.flush();
      await clock.advance(60_000);
    }
    expect(written()).to.have.length(1);
    expect(written()[0]!.series).to.deep.equal({ count: 3, lastObservedTime: '2026-03-01T12:02:00.678000Z' });
    await clock.advance(6 * 60_000 + 1);
    recorder.event(a, 'Warning', 'Failed', 'It failed');
    await recorder.flush();
    expect(written()).to.have.length(2);
  });

  it('counts an outage as one series, although each failure has another request id and time', async () => {
    for (const id of ['a1', 'b2', 'c3']) {
      recorder.event(a, 'Warning', 'RegistryUnavailable', `503 (request ${id}), will retry at 12:0${id}`);
      await recorder.flush();
      await clock.advance(60_000);
    }
    expect(written().map(({ note }) => note)).to.deep.equal(['503 (request a1), will retry at 12:0a1']);
    expect(written()[0]?.series).to.have.property('count', 3);
  });

  it('tells of the same trouble anew once the spec has changed', async () => {
    for (const generation of [1, 2]) {
      const changed = { ...a, metadata: { ...a.metadata, generation } };
      recorder.event(changed, 'Warning', 'SecretConflict', `Secret ${generation} is not ours`);
    }
    await recorder.flush();
    expect(written().map(({ note }) => note)).to.deep.equal(['Secret 1 is not ours', 'Secret 2 is not ours']);
  });

  it('tells Warnings of different occasions apart, and counts those of one', async () => {
    for (const occasion of ['one', 'two', 'two'])
      recorder.event(a, 'Warning', 'OrphanFound', `found at look ${occasion}`, occasion);
    await recorder.flush();
    expect(written().map(({ note, series }) => [note, series?.count])).to.deep.equal([
      ['found at look one', undefined],
      ['found at look two', 2],
    ]);
  });

  it('tells different things that were done apart', async () => {
    recorder.event(a, 'Normal', 'Revoked', 'token one revoked');
    recorder.event(a, 'Normal', 'Revoked', 'token two revoked');
    await recorder.flush();
    expect(written().map(({ note }) => note)).to.deep.equal(['token one revoked', 'token two revoked']);
  });

  it('creates the Event with its series when the server no longer has it', async () => {
    recorder.event(a, 'Normal', 'X', 'x');
    await recorder.flush();
    server.remove('/apis/events.k8s.io/v1/namespaces/ns/events', written()[0]!.metadata.name);
    recorder.event(a, 'Normal', 'X', 'x');
    await recorder.flush();
    expect(written()[0]!.series).to.have.property('count', 2);
  });

  it('writes 25 times about one object, then once in five minutes, and freely about others', async () => {
    for (let n = 0; n < 40; n++) recorder.event(a, 'Normal', 'X', `note ${n}`);
    recorder.event(thing('b', 'ns'), 'Normal', 'X', 'x');
    await recorder.flush();
    expect(methods()).to.have.length(26);
    await clock.advance(5 * 60_000);
    recorder.event(a, 'Normal', 'X', 'later');
    recorder.event(a, 'Normal', 'X', 'too soon');
    await recorder.flush();
    expect(methods()).to.have.length(27);
  });

  it('returns at once, whatever the server does', async () => {
    server.fault = () => new Promise(() => undefined);
    recorder.event(a, 'Normal', 'X', 'x');
    const flushed = recorder.flush();
    await clock.advance(5_000);
    await flushed;
    expect(clock.pending).to.equal(0);
  });

  it('drops after five seconds of flushing what waits and what is under way', async () => {
    const refused: unknown[] = [];
    server.fault = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          refused.push(signal.reason);
          reject(signal.reason as Error);
        });
      });
    for (const note of ['one', 'two']) recorder.event(a, 'Normal', 'X', note);
    const flushed = recorder.flush();
    await clock.advance(5_000);
    await flushed;
    await settle();
    expect(refused.map(String)).to.deep.equal(['Error: not written within 5 s']);
    expect(server.calls).to.have.length(1);
    server.fault = () => undefined;
    recorder.event(a, 'Normal', 'X', 'three');
    await recorder.flush();
    expect(written().map(({ note }) => note)).to.deep.equal(['three']);
  });

  it('tries again when that may help, after a second and after four more, three times in all', async () => {
    server.fault = (call) => fail(call, 503, 'ServiceUnavailable');
    recorder.event(a, 'Normal', 'X', 'x');
    for (const [milliseconds, times] of [
      [999, 1],
      [1, 2],
      [3_999, 2],
      [1, 3],
    ] as const) {
      await clock.advance(milliseconds);
      expect(methods()).to.have.length(times);
    }
    expect(logs.messages('warn')).to.deep.equal(['Event dropped']);
    server.fault = () => undefined;
    recorder.event(a, 'Normal', 'Y', 'y');
    await recorder.flush();
    expect(written()).to.have.length(1);
  });

  it('tries again no sooner than the server asks for', async () => {
    server.fault = (call) => {
      throw refuse(call, 429, 'TooManyRequests', 3);
    };
    recorder.event(a, 'Normal', 'X', 'x');
    await clock.advance(2_999);
    expect(methods()).to.have.length(1);
    server.fault = () => undefined;
    await clock.advance(1);
    expect(written()).to.have.length(1);
  });

  it('drops what the server refuses', async () => {
    server.fault = (call) => fail(call, 403, 'Forbidden');
    recorder.event(a, 'Normal', 'X', 'x');
    await recorder.flush();
    expect(methods()).to.have.length(1);
    expect(logs.messages('warn')).to.deep.equal(['Event dropped']);
  });

  for (const [what, code, details] of [
    ['is being deleted', 403, { causes: [{ reason: 'NamespaceTerminating' }] }],
    ['is gone', 404, {}],
  ] as const)
    it(`drops without a warning what is about an object whose namespace ${what}`, async () => {
      server.fault = (call) => {
        throw refusal(call, code, { kind: 'Status', reason: 'x', details });
      };
      recorder.event(a, 'Normal', 'Revoked', 'Token revoked');
      await recorder.flush();
      expect(logs.lines.map(({ level }) => level)).to.deep.equal(['debug']);
    });

  it('drops all that wait, with one line, where this process may not write any more', async () => {
    server.fault = () => {
      throw new LeadershipLost('another leads');
    };
    for (const name of ['a', 'b', 'c']) recorder.event(thing(name, 'ns'), 'Normal', 'X', 'x');
    await recorder.flush();
    expect(methods()).to.have.length(1);
    expect(logs.messages('info')).to.deep.equal(['Events dropped: this process no longer leads']);
    expect(logs.messages('warn')).to.deep.equal([]);
  });

  it('takes an Event that is there for its own earlier try', async () => {
    server.fault = (call) => fail(call, 409, 'AlreadyExists');
    recorder.event(a, 'Normal', 'X', 'x');
    await recorder.flush();
    expect(logs.lines).to.deep.equal([]);
  });

  it('holds a thousand back while the server is slow, and drops the rest', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.fault = () => gate.promise;
    for (let n = 0; n < 1_100; n++) recorder.event(thing(`t-${n}`, 'ns'), 'Normal', 'X', 'x');
    expect(logs.messages('debug')).to.have.length(100 - 1);
    gate.resolve(undefined);
    while (methods().length < 1_001) await settle();
    await recorder.flush();
    expect(written()).to.have.length(1_001);
  });

  it('cuts a note at a character to what the server takes', async () => {
    recorder.event(a, 'Normal', 'X', 'ü'.repeat(600));
    await recorder.flush();
    const { note } = written()[0]!;
    expect(Buffer.byteLength(note)).to.be.within(1020, 1024);
    expect(note).to.match(/^ü+…$/);
  });
});

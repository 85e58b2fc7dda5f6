import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { systemClock } from '../../../../src/common/clock.ts';
import { KubeError } from '../../../../src/kube/client/errors.ts';
import { httpTransport } from '../../../../src/kube/transport/http-transport.ts';
import type { Transport } from '../../../../src/kube/transport/transport.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { Authority } from './certificates.ts';
import { LoopbackServer } from './loopback-server.ts';
import { Logs } from './logs.ts';

/** What there is around the transports of one spec. */
export interface Surroundings {
  authority: Authority;
  server: LoopbackServer;
  /** A folder for files. */
  folder: string;
  clock: VirtualClock;
  logs: Logs;
}

export interface Transports {
  stage: () => Surroundings;
  /** A kubeconfig for the server, with more fields of cluster and user. */
  kubeConfig: (user?: object, cluster?: object) => KubeConfig;
  /** A transport, closed after the spec. */
  open: (config?: KubeConfig, metrics?: { requested: (...call: unknown[]) => void }) => Transport;
}

export const encode = (pem: string): string => Buffer.from(pem).toString('base64');

/** Gives every spec of a suite a TLS server of its own, and transports to it. */
export function useTransports(): Transports {
  let authority: Authority;
  let server: LoopbackServer;
  let folder: string;
  let clock: VirtualClock;
  let logs: Logs;
  const transports: Transport[] = [];

  before(async () => {
    authority = await Authority.create();
    folder = await mkdtemp(join(tmpdir(), 'kube-'));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    server = await LoopbackServer.start(authority);
    clock = new VirtualClock();
    logs = new Logs();
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await Promise.all(transports.splice(0).map((transport) => transport.close()));
  });

  function kubeConfig(user: object = { token: 'tok-1' }, cluster: object = {}): KubeConfig {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [
        {
          name: 'c',
          server: server.url,
          skipTLSVerify: false,
          caData: encode(authority.certificate),
          ...cluster,
        },
      ],
      users: [{ name: 'u', ...user }],
      contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
      currentContext: 'x',
    });
    return config;
  }

  function open(config = kubeConfig(), metrics?: { requested: (...call: unknown[]) => void }): Transport {
    const transport = httpTransport(config, {
      clock,
      logger: logs,
      userAgent: 'test/1',
      ...(metrics && { metrics }),
    });
    transports.push(transport);
    return transport;
  }

  return { kubeConfig, open, stage: () => ({ authority, server, folder, clock, logs }) };
}

/** The KubeError with which work fails. */
export async function failure(work: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await work.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(KubeError);
  return error as KubeError;
}

/** Waits for what another thread of the machine does, for five seconds at most. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = systemClock.monotonic() + 5_000; !(await condition());) {
    if (systemClock.monotonic() > end) expect.fail('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { sleep, systemClock as clock } from '../src/common/clock.ts';
import { KubeClient } from '../src/kube/client/client.ts';
import { httpTransport } from '../src/kube/transport/http-transport.ts';
import { resourcePath } from '../src/kube/client/resources.ts';
import { routeCustomResources, SERVICE_HOST, type CustomResourceServer } from './custom-resource-routes.ts';
import { startCustomResourceServer } from './custom-resource-server.ts';
import { freePort } from './free-port.ts';
import { createSelfSigned, type SelfSignedCertificate } from './self-signed-certificate.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from './setup.ts';

/** The common name by which servers of custom resources know kube-apiserver. */
const FRONT_PROXY = 'front-proxy';
/** How long the server may take until it trusts kube-apiserver, in milliseconds. */
const TRUST_TIME = 30_000;

/** A certificate that vouches for itself, in files. */
interface Identity extends SelfSignedCertificate {
  files: { certificate: string; key: string };
}

/** What kube-apiserver proves itself with when it says whose a request is. */
export interface FrontProxy extends Identity {
  /** Flags of kube-apiserver. */
  flags: Record<string, string>;
}

/** @param folder takes a certificate and its key, and has to last as long as the servers */
export async function createFrontProxy(folder: string): Promise<FrontProxy> {
  const identity = await createIdentity(folder, FRONT_PROXY);
  const { certificate, key } = identity.files;
  const flags = {
    'proxy-client-cert-file': certificate,
    'proxy-client-key-file': key,
    'requestheader-client-ca-file': certificate,
    'requestheader-allowed-names': FRONT_PROXY,
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
  };
  return { ...identity, flags };
}

export interface CustomResourcesOptions {
  /** Path of the program apiextensions-apiserver. */
  binary: string;
  /** Takes a certificate and its key, and has to last as long as the server. */
  folder: string;
  etcd: string;
  /** An administrator's of the kube-apiserver. */
  kubeconfig: { path: string; text: string };
  /** As the server's option of that name. */
  admission: string | undefined;
  /** Of the kube-apiserver. */
  frontProxy: FrontProxy;
}

export interface CustomResources {
  /** What the server says of itself at /metrics. */
  metrics: () => Promise<string>;
  stop: () => Promise<void>;
}

/** Has custom resources served by a server of their own, behind kube-apiserver. @throws Error when it does not start */
export async function serveCustomResources(options: CustomResourcesOptions): Promise<CustomResources> {
  const { binary, folder, etcd, kubeconfig, admission, frontProxy } = options;
  await using stack = new AsyncDisposableStack();
  const identity = await createIdentity(folder, 'custom-resources', [SERVICE_HOST]);
  const server = { port: await freePort(), certificate: identity.certificate };
  const { path } = kubeconfig;
  const start = { binary, etcd, port: server.port, tls: identity.files, kubeconfig: path, admission };
  stack.defer(await startCustomResourceServer(start));
  await whenTrusted(server, frontProxy);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeconfig.text);
  const logger = pino({ level: 'silent' });
  const transport = httpTransport(kubeConfig, { clock, logger, userAgent: 'sandbox' });
  stack.defer(() => transport.close());
  const client = new KubeClient(transport, { fieldManager: 'sandbox' });
  stack.defer(await routeCustomResources(client, server));
  const started = stack.move();
  return {
    metrics: async () => (await askDirectly(server, frontProxy, '/metrics')).text,
    stop: () => started.disposeAsync(),
  };
}

/**
 * Waits until the server takes kube-apiserver's word for whose a request is. It reads whom to trust when it serves already, and a
 * connection that kube-apiserver opens before stays anonymous.
 */
async function whenTrusted(server: CustomResourceServer, frontProxy: FrontProxy): Promise<void> {
  const deadline = clock.monotonic() + TRUST_TIME;
  for (;;) {
    const { status, text } = await askDirectly(server, frontProxy, resourcePath(CUSTOM_RESOURCE_DEFINITIONS));
    if (status === 200) return;
    if (clock.monotonic() > deadline) throw new Error(`apiextensions-apiserver answers ${status}: ${text}`);
    await sleep(clock, 50);
  }
}

/** Asks the server itself as an administrator, over a connection of its own. */
async function askDirectly(
  server: CustomResourceServer,
  { certificate, key }: FrontProxy,
  path: string,
): Promise<{ status: number; text: string }> {
  const headers = { 'X-Remote-User': 'sandbox', 'X-Remote-Group': 'system:masters' };
  const connect = { ca: server.certificate, cert: certificate, key, servername: SERVICE_HOST };
  const dispatcher = new Agent({ connect });
  const { statusCode: status, body } = await request(`https://127.0.0.1:${server.port}${path}`, {
    dispatcher,
    headers,
  });
  const text = await body.text();
  await dispatcher.close();
  return { status, text };
}

async function createIdentity(
  folder: string,
  name: string,
  hosts: readonly string[] = [],
): Promise<Identity> {
  const made = await createSelfSigned(name, clock.now(), hosts);
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  await writeFile(files.certificate, made.certificate);
  await writeFile(files.key, made.key, { mode: 0o600 });
  return { ...made, files };
}

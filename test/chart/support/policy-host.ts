/** ValidatingAdmissionPolicies beside a kube-apiserver from before Kubernetes 1.30, which has none. */
import type { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { serve } from '../../../sandbox/apiserver/http-server.ts';
import type { Answer, ApiRequest } from '../../../sandbox/apiserver/request.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import type { Resource } from '../../../src/common/objects.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { httpTransport } from '../../../src/kube/transport/http-transport.ts';
import { startEmbedded } from '../../support/api-servers.ts';
import type { Rendered } from './helm.ts';
import { ClusterRequests } from './cluster-requests.ts';

const GROUP = 'admissionregistration.k8s.io';
const policyKind = (plural: string, kind: string): Resource => ({
  group: GROUP,
  version: 'v1',
  plural,
  kind,
  namespaced: false,
});
export const POLICIES = policyKind('validatingadmissionpolicies', 'ValidatingAdmissionPolicy');
export const BINDINGS = policyKind('validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding');
const HOSTED = new RegExp(`^/apis/${GROUP}/v1/(${POLICIES.plural}|${BINDINGS.plural})(/|$)`);

export interface PolicyHost {
  /** On loopback; asks nobody who they are. */
  url: string;
  /** Serves the policies and bindings among these objects, in place of those before. */
  replace: (objects: readonly Rendered[]) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Answers what an administrator may read of kube-apiserver, and serves policies and bindings itself, to whoever enforces them: in storage,
 * defaults and watches as an API server does, but any policy is taken, one that does not compile too.
 */
export async function startPolicyHost(cluster: KubeConfig): Promise<PolicyHost> {
  await using stack = new AsyncDisposableStack();
  const policies = await startEmbedded();
  stack.defer(policies.close);
  const logger = pino({ level: 'silent' });
  const transport = httpTransport(policies.kubeConfig, { clock, logger, userAgent: 'test' });
  stack.defer(() => transport.close());
  const client = new KubeClient(transport, { fieldManager: 'test' });
  const requests = new ClusterRequests(cluster);
  stack.defer(() => requests.close());
  const handle = (incoming: ApiRequest): Promise<Answer> =>
    HOSTED.test(incoming.path) ? policies.embedded!.handle(incoming) : passOn(requests, incoming);
  const { url, close } = await serve({ handle }, { host: '127.0.0.1', port: 0 });
  stack.defer(close);
  const started = stack.move();
  const replace = async (objects: readonly Rendered[]): Promise<void> => {
    for (const resource of [POLICIES, BINDINGS]) {
      for (const { metadata } of await client.listAll(resource)) await client.delete(resource, metadata);
      for (const object of objects) if (object.kind === resource.kind) await client.create(resource, object);
    }
  };
  return { url, replace, close: () => started.disposeAsync() };
}

async function passOn(requests: ClusterRequests, { path, query, signal }: ApiRequest): Promise<Answer> {
  const {
    statusCode: status,
    headers,
    body,
  } = await requests.send('GET', `${path}?${query.toString()}`, { signal });
  body.setEncoding('utf8');
  return { status, headers: { 'content-type': String(headers['content-type']) }, body };
}

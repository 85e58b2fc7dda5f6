/** What `kubectl exec` needs on a cluster whose API server does not reach the kubelet. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RunningApiServer } from '../../support/api-servers.ts';
import { joinSockets } from './joined-sockets.ts';

/** Where a kubelet listens unless it is told otherwise. */
const KUBELET = 'https://127.0.0.1:10250';
const EXEC = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/exec$/;

/** An API server that asks nobody who they are. */
export interface ExecProxy {
  url: string;
  close: () => Promise<void>;
}

/**
 * Listens on loopback, passes requests to the API server, and those to run something in a container straight to the kubelet
 * of this machine, as an API server does that has a certificate for it. Both take the administrator's.
 */
export async function startExecProxy(apiServer: RunningApiServer): Promise<ExecProxy> {
  const { certData = '', keyData = '' } = apiServer.kubeConfig.getCurrentUser() ?? {};
  const credentials = {
    cert: Buffer.from(certData, 'base64'),
    key: Buffer.from(keyData, 'base64'),
    rejectUnauthorized: false,
  };
  const open = new Set<Duplex>();
  const optionsOf = ({ method, rawHeaders }: IncomingMessage): RequestOptions => ({
    ...credentials,
    ...(method !== undefined && { method }),
    headers: rawHeaders,
  });

  const server = createServer((incoming, outgoing) => {
    const passed = request(new URL(incoming.url ?? '', apiServer.url), optionsOf(incoming), (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  server.on('upgrade', (incoming, socket, head) => {
    const url = kubeletUrl(incoming.url ?? '');
    if (!url) return void socket.destroy();
    const passed = request(url, optionsOf(incoming));
    passed.on('error', () => socket.destroy());
    passed.on('response', (answer) => {
      socket.write(headOf(answer));
      answer.pipe(socket);
    });
    passed.on('upgrade', (answer, upstream, first) => {
      socket.write(headOf(answer));
      socket.write(first);
      upstream.write(head);
      joinSockets(socket, upstream, open);
    });
    passed.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Where the kubelet is asked for what the API server was; undefined for anything but an exec. */
function kubeletUrl(path: string): URL | undefined {
  const asked = new URL(path, KUBELET);
  const [, namespace, pod] = EXEC.exec(asked.pathname) ?? [];
  if (namespace === undefined) return undefined;
  const url = new URL(`/exec/${namespace}/${pod}/${asked.searchParams.get('container')}`, KUBELET);
  for (const word of asked.searchParams.getAll('command')) url.searchParams.append('command', word);
  url.searchParams.append('output', '1');
  url.searchParams.append('error', '1');
  return url;
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

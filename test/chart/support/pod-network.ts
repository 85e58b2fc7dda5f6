import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { joinSockets } from './joined-sockets.ts';

const run = promisify(execFile);

/** The address at which pods look for the API server: the first one of the services' range, and a name in its certificate. */
export const GATEWAY = '10.0.0.1';
const SUBNET = '10.0.0.0/24';
const BRIDGE = 'pod-network';
/** Debian's containernetworking-plugins. */
const PLUGINS = '/usr/lib/cni';

/**
 * Gives the pods of a kubelet on this machine a network: a bridge on which this machine is the gateway, and the API server
 * at its service's address. Takes root.
 * @param folder that containerd takes plugins and their configuration from
 * @param port of the API server on loopback
 * @returns a function that takes it down
 */
export async function createPodNetwork(folder: string, port: number): Promise<() => Promise<void>> {
  await removeBridge();
  await run('ip', ['link', 'add', BRIDGE, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${GATEWAY}/24`, 'dev', BRIDGE]);
  await run('ip', ['link', 'set', BRIDGE, 'up']);
  const open = new Set<Duplex>();
  const server = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1');
    joinSockets(socket, upstream, open);
  }).listen(443, GATEWAY);
  await once(server, 'listening');
  for (const plugin of ['bridge', 'host-local', 'loopback']) {
    await copyFile(join(PLUGINS, plugin), join(folder, plugin));
  }
  await writeFile(join(folder, '10-pods.conflist'), JSON.stringify(configuration(folder)));
  return async () => {
    server.close();
    for (const socket of open) socket.destroy();
    await removeBridge();
  };
}

/** A run that was killed leaves its bridge, and the next one would stop there. */
async function removeBridge(): Promise<void> {
  const { stdout } = await run('ip', ['-brief', 'link', 'show', 'type', 'bridge']);
  const names = stdout.split('\n').map((line) => line.split(/\s/)[0]);
  if (names.includes(BRIDGE)) await run('ip', ['link', 'delete', BRIDGE]);
}

function configuration(folder: string): object {
  const range = { subnet: SUBNET, rangeStart: '10.0.0.128', rangeEnd: '10.0.0.250', gateway: GATEWAY };
  const ipam = {
    type: 'host-local',
    dataDir: join(folder, 'addresses'),
    ranges: [[range]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [{ type: 'bridge', bridge: BRIDGE, isGateway: true, ipam }],
  };
}

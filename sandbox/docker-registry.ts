import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { killAtExit } from './programs.ts';
import type { FakeRegistry } from './registries/shared/fake-registry.ts';

export interface DockerRegistry {
  /** Host and port, as they stand in image names. */
  host: string;
  stop(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** Holds the images, the configuration and the certificate; it has to be there. */
  folder: string;
  /** Of the loopback interface; any free one unless given. */
  port?: number;
  /** Decides who may do what. */
  authority: FakeRegistry;
  /** Where the authority listens. */
  authorityUrl: string;
}

/**
 * Starts a CNCF Distribution registry (the program docker-registry) on the loopback interface, with a fake as its
 * authority.
 * @throws Error when it ends before it listens, with what it said
 */
export async function startDockerRegistry(options: DockerRegistryOptions): Promise<DockerRegistry> {
  const { folder, port = 0, authority, authorityUrl } = options;
  const certificate = join(folder, 'certificate.pem');
  await writeFile(certificate, await authority.certificate());
  const { path: tokenPath, service } = authority.tokenEndpoint;
  const realm = `${authorityUrl}${tokenPath}`;
  const configuration = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder, 'images') } },
    http: { addr: `127.0.0.1:${port}` },
    auth: { token: { realm, service, issuer: authority.host, rootcertbundle: certificate } },
  };
  const path = join(folder, 'registry.yaml');
  await writeFile(path, stringify(configuration));
  const child = spawn('docker-registry', ['serve', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Its own group: Ctrl-C in a terminal is for its parent, which then stops things in order.
    detached: true,
  });
  killAtExit(child);
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
  };
  let said = '';
  for await (const line of createInterface(child.stderr)) {
    said += `${line}\n`;
    const host = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (host === undefined) continue;
    child.stderr.resume();
    return { host, stop };
  }
  throw new Error(`docker-registry ended before it listened:\n${said}`);
}

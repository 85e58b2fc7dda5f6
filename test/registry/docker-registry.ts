import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';

export interface DockerRegistry {
  /** Host and port, as they stand in image names. */
  host: string;
  stop(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** Holds the images and the configuration. */
  folder: string;
  /** Where the token service gives bearer tokens. */
  realm: string;
  /** `iss` of the bearer tokens. */
  issuer: string;
  /** PEM file with the certificate of the bearer tokens. */
  certificate: string;
}

/** Which of the programs are not on the PATH. */
export async function missingPrograms(...names: string[]): Promise<string[]> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = await Promise.all(
    names.map((name) =>
      Promise.any(folders.map((folder) => access(join(folder, name), constants.X_OK))).then(
        () => true,
        () => false,
      ),
    ),
  );
  return names.filter((_, index) => !found[index]);
}

/**
 * Starts a CNCF Distribution registry on a free port of the loopback interface.
 * @throws when it ends before it listens, with what it said
 */
export async function startDockerRegistry(options: DockerRegistryOptions): Promise<DockerRegistry> {
  const { folder, realm, issuer, certificate } = options;
  const configuration = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder, 'images') } },
    http: { addr: '127.0.0.1:0' },
    auth: { token: { realm, service: 'registry', issuer, rootcertbundle: certificate } },
  };
  const path = join(folder, 'registry.yaml');
  await writeFile(path, stringify(configuration));
  const child = spawn('docker-registry', ['serve', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
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

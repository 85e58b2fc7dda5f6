import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What skopeo said when it failed; undefined when it did not. */
export type Failure = string | undefined;

/** What skopeo says to a credential that is dead, wrong or not there. */
export const UNAUTHORIZED = /unable to retrieve auth token: invalid username\/password: unauthorized/;
/** What it says where a credential is good, but not for this. */
export const DENIED = /denied: requested access to the resource is denied/;

/** The client of a registry without TLS. */
export class Skopeo {
  readonly #folder: string;
  readonly #image: string;

  /**
   * @param folder for its files
   * @param image folder with the OCI layout of the image that is pushed
   */
  constructor(folder: string, image: string) {
    this.#folder = folder;
    this.#image = image;
  }

  /**
   * Pushes the image.
   * @param dockerConfig as a Secret of type kubernetes.io/dockerconfigjson holds it
   * @param reference such as 127.0.0.1:5000/team/app:1
   */
  push(dockerConfig: string, reference: string): Promise<Failure> {
    return this.#run(dockerConfig, () => [`oci:${this.#image}:latest`, `docker://${reference}`]);
  }

  /** Pulls an image, and drops it. */
  pull(dockerConfig: string, reference: string): Promise<Failure> {
    return this.#run(dockerConfig, (folder) => [`docker://${reference}`, `dir:${join(folder, 'pulled')}`]);
  }

  async #run(dockerConfig: string, copy: (folder: string) => [from: string, to: string]): Promise<Failure> {
    const folder = await mkdtemp(join(this.#folder, 'skopeo-'));
    const authFile = join(folder, 'auth.json');
    await writeFile(authFile, dockerConfig);
    const flags = ['--authfile', authFile, '--src-tls-verify=false', '--dest-tls-verify=false'];
    const failure = await new Promise<Failure>((resolve) => {
      execFile('skopeo', ['--insecure-policy', 'copy', ...flags, ...copy(folder)], (error, _, stderr) =>
        resolve(error ? stderr : undefined),
      );
    });
    await rm(folder, { recursive: true });
    return failure;
  }
}

import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { missingPrograms } from '../../../sandbox/programs.ts';
import { PODS, SERVICE_ACCOUNTS } from '../../../src/kube/client/resources.ts';
import type { Pod } from '../../../src/token/workloads/pods.ts';
import { writeImage } from '../../registry/oci-layout.ts';
import { NODE_PROGRAMS } from '../../support/node.ts';
import type { World } from '../../support/world.ts';

const run = promisify(execFile);

/** The program that starts a cluster with a node, if there is one. */
export const CLUSTER_SCRIPT = process.env['CLUSTER_SCRIPT'];

/** Why there can be no node here; undefined where there can. */
export async function whyNoNode(): Promise<string | undefined> {
  if (CLUSTER_SCRIPT === undefined) return 'CLUSTER_SCRIPT does not say what starts a cluster with a node';
  if (process.getuid?.() !== 0) return 'only root can run a node';
  const missing = await missingPrograms(...NODE_PROGRAMS, 'docker-registry', 'skopeo');
  return missing.length > 0 ? `there is no ${missing.join(', no ')}` : undefined;
}

/** Writes an image of busybox alone into a folder. @returns where it is, as an OCI layout */
export async function busyboxImage(folder: string): Promise<string> {
  const root = join(folder, 'root');
  await mkdir(join(root, 'bin'), { recursive: true });
  const { stdout: busybox } = await run('sh', ['-c', 'command -v busybox']);
  await run('cp', ['--dereference', busybox.trim(), join(root, 'bin', 'busybox')]);
  const { stdout: archive } = await run('tar', ['--directory', root, '--create', '.'], {
    encoding: 'buffer',
    maxBuffer: 64 * 1024 * 1024,
  });
  const image = join(folder, 'image');
  await writeImage(image, archive);
  return image;
}

export interface PodSpec {
  imagePullSecrets?: { name: string }[];
  serviceAccountName?: string;
}

/** What a pod is waiting for, by kubelet's word for it; empty when it waits for nothing. */
export const reasonOf = ({ status }: Pod): string =>
  status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '';

/** A pod's spec that needs nothing of the node but an image of busybox. */
export function podTemplate(
  image: string,
  spec: PodSpec,
  command = ['sleep', '3600'],
  imagePullPolicy = 'Always',
): object {
  return {
    hostNetwork: true,
    automountServiceAccountToken: false,
    tolerations: [{ operator: 'Exists' }],
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image, imagePullPolicy, command: ['/bin/busybox', ...command] }],
    ...spec,
  };
}

/** Pods of one namespace whose images are pulled. */
export class PullingPods {
  readonly #world: World;
  readonly #namespace: string;

  /** @param namespace that has been there for long enough to have its ServiceAccount */
  private constructor(world: World, namespace: string) {
    this.#world = world;
    this.#namespace = namespace;
  }

  static async inNamespace(world: World, namespace: string): Promise<PullingPods> {
    await world.eventually('the namespace has a ServiceAccount', async () =>
      (await world.exists(world.client.get(SERVICE_ACCOUNTS, { namespace, name: 'default' })))
        ? { value: true }
        : { seen: 'none' },
    );
    return new PullingPods(world, namespace);
  }

  create(
    name: string,
    image: string,
    spec: PodSpec,
    command?: string[],
    imagePullPolicy?: string,
  ): Promise<Pod> {
    return this.#world.client.create<Pod>(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: this.#namespace },
      spec: { restartPolicy: 'Never', ...podTemplate(image, spec, command, imagePullPolicy) },
    });
  }

  get(name: string): Promise<Pod> {
    return this.#world.client.get<Pod>(PODS, { namespace: this.#namespace, name });
  }

  whenPhase(name: string, phase: string): Promise<Pod> {
    return this.#when(name, `is ${phase}`, ({ status }) => status?.phase === phase, 120_000);
  }

  whenPullFails(name: string): Promise<Pod> {
    const isFailing = (pod: Pod): boolean => ['ErrImagePull', 'ImagePullBackOff'].includes(reasonOf(pod));
    return this.#when(name, 'can not pull', isFailing, 60_000);
  }

  #when(name: string, what: string, holds: (pod: Pod) => boolean, milliseconds: number): Promise<Pod> {
    return this.#world.eventually(
      `pod ${name} ${what}`,
      async () => {
        const found = await this.get(name);
        return holds(found) ? { value: found } : { seen: JSON.stringify(found.status) };
      },
      milliseconds,
    );
  }
}

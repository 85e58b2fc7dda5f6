import type { RegistryToken } from '../../api/registry-token.ts';
import { registryHost } from '../../api/syntax/host.ts';
import { imageHost, matchesHost } from './images.ts';
import { containersOf, couldNotPull, statusesOf, type Container, type Pod, type PodSpec } from './pods.ts';

/** A Secret with credentials for registries. */
export interface PullSecretHosts {
  name: string;
  /** Hosts it has credentials for, `*` for the first label included; undefined while that is not known, as before the first token. */
  hosts: readonly string[] | undefined;
  /** Whether there is such a Secret. */
  exists: boolean;
}

/** Hosts that a RegistryToken's Secret has a credential for; undefined before it has one. */
export function pullHosts({ spec, status }: RegistryToken): string[] | undefined {
  if (status?.host === undefined) return undefined;
  // Not by readTokenSpec: the spec can have become invalid since, and the Secret is what it was.
  return [status.host, ...(spec.secret?.extraHosts ?? []).flatMap((text) => registryHost(text) ?? [])];
}

/** What a pod needs of Secrets and registries: all that tells which Secrets it uses, and waits for. */
export interface PodNeeds {
  /** Secrets that kubelet may pull its images with. */
  pullSecrets: readonly string[];
  /** Secrets that it mounts or has in its environment, as pods do that push. */
  mounted: readonly string[];
  /** Registries of its images. */
  hosts: readonly string[];
  /** Registries of those images that could not be pulled so far. */
  failing: readonly string[];
  /** It has a node, and none of its containers has been started. */
  starting: boolean;
}

/** What a pod needs. @returns undefined for one that needs nothing any more: it has ended, or is being deleted */
export function needsOf({ metadata, spec, status }: Pod): PodNeeds | undefined {
  const phase = status?.phase ?? 'Pending';
  if (phase === 'Succeeded' || phase === 'Failed' || metadata.deletionTimestamp !== undefined)
    return undefined;
  const unpulled = new Set(statusesOf(status).flatMap((each) => (couldNotPull(each) ? each.name : [])));
  const containers = containersOf(spec);
  return {
    pullSecrets: distinct((spec.imagePullSecrets ?? []).map(({ name }) => name)),
    mounted: distinct([...volumeSecrets(spec), ...containers.flatMap(environmentSecrets)]),
    hosts: hostsOf(spec, containers),
    failing:
      unpulled.size === 0
        ? []
        : hostsOf(
            spec,
            containers.filter(({ name }) => unpulled.has(name)),
          ),
    starting: phase === 'Pending' && spec.nodeName !== undefined,
  };
}

/**
 * Whether a pod uses a Secret: kubelet pulls an image from one of the Secret's hosts and may take the Secret for it, or the pod
 * mounts it, or has it in its environment. What its ServiceAccount has does not count: it was copied into the pod or never will be.
 */
export function usesSecret(needs: PodNeeds, { name, hosts }: PullSecretHosts): boolean {
  return (
    needs.mounted.includes(name) || (needs.pullSecrets.includes(name) && includesHost(needs.hosts, hosts))
  );
}

/**
 * Whether a pod waits for a Secret, or for a credential in it that works: it uses the Secret, and an image from one of the Secret's
 * hosts could not be pulled so far; or it mounts a Secret that is not there, which kubelet waits for.
 */
export function waitsForSecret(needs: PodNeeds, { name, hosts, exists }: PullSecretHosts): boolean {
  if (!exists && needs.starting && needs.mounted.includes(name)) return true;
  return needs.pullSecrets.includes(name) && includesHost(needs.failing, hosts);
}

function includesHost(ofImages: readonly string[], hosts: readonly string[] | undefined): boolean {
  if (hosts === undefined) return ofImages.length > 0;
  return ofImages.some((host) => hosts.some((pattern) => matchesHost(pattern, host)));
}

/** Registries of the images of containers, and of those that a pod mounts: kubelet starts no container without them. */
function hostsOf({ volumes = [] }: PodSpec, containers: readonly Container[]): string[] {
  const images = [...containers.map(({ image }) => image), ...volumes.map(({ image }) => image?.reference)];
  return distinct(images.map((image) => (image === undefined ? undefined : imageHost(image))));
}

/** Secrets that a pod mounts; kubelet renews the files. */
export function volumeSecrets({ volumes = [] }: PodSpec): (string | undefined)[] {
  return volumes.flatMap(({ secret, projected }) => [
    secret?.secretName,
    ...(projected?.sources ?? []).map((source) => source.secret?.name),
  ]);
}

/** Secrets that a container has in its environment, where what they hold stays as it was when the container began. */
export function environmentSecrets({ env = [], envFrom = [] }: Container): (string | undefined)[] {
  return [
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...envFrom.map(({ secretRef }) => secretRef?.name),
  ];
}

function distinct(names: readonly (string | undefined)[]): string[] {
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[];
}

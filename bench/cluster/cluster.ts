import type { Resource } from '../../src/common/objects.ts';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Manifest } from '../../src/kube/client/manifest.ts';
import type { ApiCalls } from '../measure/api-calls.ts';

/** What the names of namespaces to measure in begin with. */
export const NAMESPACE_PREFIX = 'bench-';

/** A Kubernetes to measure on. */
export interface BenchCluster {
  /** What it is, for people. */
  title: string;
  /** A kubeconfig file's text. */
  kubeconfig: string;
  kubeConfig: KubeConfig;
  /** Calls since the API server started, by its own counters. */
  calls(): Promise<ApiCalls>;
  /**
   * Puts objects where the API server has them stored, hundreds at a time and past all its checks: they have to hold what it would
   * have added.
   * @returns the resourceVersion that each got, in their order
   */
  store(resource: Resource, objects: Iterable<Manifest>): Promise<string[]>;
  /** Takes the objects of a resource in namespaces to measure in out of there, finalizers or not. */
  clear(resource: Resource): Promise<void>;
  stop(): Promise<void>;
}

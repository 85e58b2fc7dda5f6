import type { ResourceType } from '../resource-type.ts';
import { configMaps } from './config-map.ts';
import { customResourceDefinitions } from './custom-resource-definition.ts';
import { coreEvents, eventsV1 } from './event.ts';
import { inertTypes } from './inert-types.ts';
import { leases } from './lease.ts';
import { namespaces } from './namespace.ts';
import { podDisruptionBudgets } from './pod-disruption-budget.ts';
import { pods } from './pod.ts';
import { secrets } from './secret.ts';
import { serviceAccounts } from './service-account.ts';
import { deployments, replicaSets } from './workload-types.ts';

/** The resources that are there without any CustomResourceDefinition. */
export const builtinTypes: readonly ResourceType[] = [
  configMaps,
  coreEvents,
  namespaces,
  pods,
  secrets,
  serviceAccounts,
  customResourceDefinitions,
  leases,
  eventsV1,
  podDisruptionBudgets,
  deployments,
  replicaSets,
  ...inertTypes,
];

import { matchesSelector } from '../../src/api/syntax/label-selector.ts';
import { readObject } from './body.ts';
import { readDeleteOptions, type Deleter } from './deleter.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { podDisruptionBudgets } from './kinds/pod-disruption-budget.ts';
import { pods } from './kinds/pod.ts';
import type { ApiRequest, ResourcePath } from './request.ts';
import { badRequest, internalError, StatusError } from './status-error.ts';
import type { Store } from './store.ts';

/** Phases in which a pod counts for no budget (pkg/registry/core/pod/storage/eviction.go, canIgnorePDB). */
const UNCOUNTED = ['Pending', 'Succeeded', 'Failed'];
const RETRY_SECONDS = 10;

/**
 * Evicts a pod: deletes it if its PodDisruptionBudget allows that. Nothing here keeps the status of budgets; whoever writes
 * it decides how many disruptions are allowed, and each eviction takes one.
 * @throws StatusError 400, 409, 429 while the budget allows none, 500 when there are several budgets
 */
export function evict(
  { store, deleter }: { store: Store; deleter: Deleter },
  path: ResourcePath,
  pod: JsonObject,
  request: ApiRequest,
): JsonObject {
  const eviction = readObject(request);
  checkEviction(eviction, path);
  const options = readDeleteOptions(asObject(eviction.deleteOptions), request.query);
  const budget = isCounted(pod) ? budgetOf(store, pod) : undefined;
  if (budget) checkBudget(budget);
  deleter.delete(pods, pod, options);
  if (budget && !options.dryRun) store.put(podDisruptionBudgets.collection, withOneLess(budget));
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

function checkEviction({ apiVersion, kind, metadata }: JsonObject, { name }: ResourcePath): void {
  if (kind !== 'Eviction' || !asText(apiVersion).startsWith('policy/'))
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
  if (asText(asObject(metadata).name) !== name)
    throw badRequest('name in URL does not match name in Eviction object');
}

function isCounted(pod: JsonObject): boolean {
  const { deletionTimestamp } = asObject(pod.metadata);
  return deletionTimestamp === undefined && !UNCOUNTED.includes(asText(asObject(pod.status).phase));
}

function budgetOf(store: Store, pod: JsonObject): JsonObject | undefined {
  const { namespace, labels } = asObject(pod.metadata);
  const matching = store
    .list(podDisruptionBudgets.collection)
    .filter((budget) => asObject(budget.metadata).namespace === namespace)
    .filter((budget) =>
      matchesSelector(asObject(asObject(budget.spec).selector), (labels ?? {}) as Record<string, string>),
    );
  if (matching.length > 1)
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  return matching[0];
}

function checkBudget({ metadata, status }: JsonObject): void {
  const { name, generation } = asObject(metadata);
  const { observedGeneration, disruptionsAllowed, desiredHealthy = 0, currentHealthy = 0 } = asObject(status);
  if (Number(observedGeneration ?? 0) < Number(generation ?? 0))
    throw tooManyRequests(`The disruption budget ${asText(name)} is still being processed by the server.`);
  if (Number(disruptionsAllowed ?? 0) < 1)
    throw tooManyRequests(
      `The disruption budget ${asText(name)} needs ${Number(desiredHealthy)} healthy pods and has ${Number(currentHealthy)} currently`,
    );
}

function tooManyRequests(cause: string): StatusError {
  return new StatusError(
    429,
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    { causes: [{ reason: 'DisruptionBudget', message: cause }], retryAfterSeconds: RETRY_SECONDS },
  );
}

function withOneLess(budget: JsonObject): JsonObject {
  const status = asObject(budget.status);
  return { ...budget, status: { ...status, disruptionsAllowed: Number(status.disruptionsAllowed) - 1 } };
}

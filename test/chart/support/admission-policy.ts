import { Environment } from '@marcbachmann/cel-js';
import type { Resource } from '../../../src/common/objects.ts';
import type { Rendered } from './helm.ts';

/** The spec of a ValidatingAdmissionPolicy, as far as the chart's have one. */
export interface Policy {
  failurePolicy: string;
  matchConstraints: {
    resourceRules: { apiGroups: string[]; operations: string[]; resources: string[] }[];
  };
  matchConditions?: { name: string; expression: string }[];
  variables?: { name: string; expression: string }[];
  validations: { expression: string; message: string }[];
}

interface Binding {
  policyName: string;
  validationActions: string[];
}

/** Somebody wants to create or change an object. */
export interface AdmissionRequest {
  resource: Resource;
  /** Of a namespaced object; default: one that no selector selects. */
  namespace?: string;
  object: object;
  /** Null for a creation. */
  oldObject: object | null;
  user: string;
  groups?: readonly string[];
}

/** What policies make of it. */
export interface Answer {
  /** Why it is refused; absent where it is allowed. */
  refused?: string;
  warnings: string[];
}

/** Has policies judge requests. */
export interface PolicyEngine {
  /** Puts the policies among these objects in force by their bindings, in place of those before. */
  enforce(objects: readonly Rendered[]): Promise<void>;
  /** @throws Error when the request is wrong by itself, or an expression fails */
  review(request: AdmissionRequest): Promise<Answer>;
}

/** Evaluates policies where there is no API server to do so. It knows no selectors. */
export class PolicyEvaluator implements PolicyEngine {
  #inForce: { policy: Policy; actions: string[] }[] = [];

  async enforce(objects: readonly Rendered[]): Promise<void> {
    const ofKind = (kind: string): Rendered[] => objects.filter((object) => object.kind === kind);
    const policies = new Map(
      ofKind('ValidatingAdmissionPolicy').map(({ metadata, spec }) => [metadata.name, spec as Policy]),
    );
    this.#inForce = ofKind('ValidatingAdmissionPolicyBinding').map(({ spec }) => {
      const { policyName, validationActions: actions } = spec as Binding;
      return { policy: policies.get(policyName)!, actions };
    });
  }

  async review(request: AdmissionRequest): Promise<Answer> {
    const answer: Answer = { warnings: [] };
    for (const { policy, actions } of this.#inForce) {
      const failed = failedValidations(policy, request);
      if (actions.includes('Warn')) answer.warnings.push(...failed);
      if (actions.includes('Deny') && failed[0] !== undefined) answer.refused ??= failed[0];
    }
    return answer;
  }
}

/** As the API server does: conditions first, then variables in their order, each seeing those before it. */
function failedValidations(policy: Policy, request: AdmissionRequest): string[] {
  const { resource, object, oldObject, user, groups = [] } = request;
  const operation = oldObject === null ? 'CREATE' : 'UPDATE';
  const concerned = policy.matchConstraints.resourceRules.some(
    ({ apiGroups, operations, resources }) =>
      apiGroups.includes(resource.group) &&
      operations.includes(operation) &&
      resources.includes(resource.plural),
  );
  if (!concerned) return [];
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
  const variables: Record<string, unknown> = {};
  const userInfo = { username: user, groups: ['system:authenticated', ...groups] };
  const context = {
    object: { metadata: {}, ...object },
    oldObject: oldObject && { metadata: {}, ...oldObject },
    request: { operation, userInfo },
    variables,
  };
  const holds = ({ expression }: { expression: string }): boolean =>
    environment.evaluate(expression, context) === true;
  if (!(policy.matchConditions ?? []).every(holds)) return [];
  for (const { name, expression } of policy.variables ?? [])
    variables[name] = environment.evaluate(expression, context);
  return policy.validations.filter((validation) => !holds(validation)).map(({ message }) => message);
}

import { Environment } from '@marcbachmann/cel-js';

/** The spec of a ValidatingAdmissionPolicy, as far as the chart's have one. */
export interface Policy {
  failurePolicy: string;
  matchConstraints: { resourceRules: { operations: string[]; resources: string[] }[] };
  matchConditions?: { name: string; expression: string }[];
  variables?: { name: string; expression: string }[];
  validations: { expression: string; message: string }[];
}

/** What a policy's expressions see. */
export interface AdmissionRequest {
  object: object;
  /** Null for a creation. */
  oldObject: object | null;
  user: string;
  groups?: readonly string[];
}

/**
 * Evaluates a policy as the API server does: conditions first, then variables in their order, each seeing those before it.
 * @returns `allowed`, `not concerned`, or the message of the first validation that fails
 */
export function verdict(policy: Policy, { object, oldObject, user, groups = [] }: AdmissionRequest): string {
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
  const variables: Record<string, unknown> = {};
  const context = {
    object,
    oldObject,
    request: {
      operation: oldObject === null ? 'CREATE' : 'UPDATE',
      userInfo: { username: user, groups: ['system:authenticated', ...groups] },
    },
    variables,
  };
  const holds = ({ expression }: { expression: string }): boolean =>
    environment.evaluate(expression, context) === true;
  if (!(policy.matchConditions ?? []).every(holds)) return 'not concerned';
  for (const { name, expression } of policy.variables ?? []) {
    variables[name] = environment.evaluate(expression, context);
  }
  return policy.validations.find((validation) => !holds(validation))?.message ?? 'allowed';
}

import { GROUP } from '../api/names.ts';
import { KubeError } from '../kube/client/errors.ts';
import { RegistryError } from '../registry/errors.ts';

/** A command could not do what it was asked. The message says what is wrong, the advice what to do about it. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly advice: string | undefined;

  constructor(message: string, advice?: string) {
    super(message);
    this.advice = advice;
  }
}

/** A right that the API server says the user lacks. */
export interface MissingRight {
  user: string;
  verb: string;
  /** `secrets` or `registrytokens.pullsecrets.dev`, with a subresource as in `pods/eviction`. */
  resource: string;
  /** Absent: at cluster scope, or in all namespaces. */
  namespace?: string;
}

/** As RBAC and other authorizers have the API server say it (apiserver, endpoints/handlers/responsewriters/errors.go). */
const FORBIDDEN =
  /User "(?<user>[^"]*)" cannot (?<verb>\w+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]+)"| at the cluster scope)?/;

/** The right that a call failed for; undefined where it failed for something else. */
export function missingRight(error: unknown): MissingRight | undefined {
  if (!(error instanceof KubeError && error.isForbidden)) return undefined;
  const {
    user = '',
    verb = '',
    resource = '',
    group,
    namespace,
  } = FORBIDDEN.exec(error.message)?.groups ?? {};
  if (verb === '') return undefined;
  const [plural = '', ...subresources] = resource.split('/');
  const title = [group ? `${plural}.${group}` : plural, ...subresources].join('/');
  return { user, verb, resource: title, ...(namespace && { namespace }) };
}

/** `you may not list pods in namespace team-a`. */
export function describeRight({ verb, resource, namespace }: MissingRight): string {
  return `you may not ${verb} ${resource}${namespace ? ` in namespace ${namespace}` : ' in the whole cluster'}`;
}

/** What to do about a right that is missing. */
export function rightAdvice({ verb, resource, namespace }: MissingRight): string {
  const where = namespace ? `--namespace ${namespace}` : '--all-namespaces';
  const [plural = resource, subresource] = resource.split('/');
  const check = `kubectl auth can-i ${verb} ${plural}${subresource ? ` --subresource=${subresource}` : ''} ${where}`;
  const role = namespace ? 'Role' : 'ClusterRole';
  return `ask a cluster administrator for a ${role} with verb ${verb} on ${resource}; check with: ${check}`;
}

/** What a failure is told as. @throws what is a mistake in this program */
export function explain(error: unknown): { message: string; advice?: string | undefined } {
  if (error instanceof CommandFailure) return { message: error.message, advice: error.advice };
  if (error instanceof RegistryError) return { message: error.message };
  if (!(error instanceof KubeError)) throw error;
  const right = missingRight(error);
  if (right) return { message: `${describeRight(right)} (user ${right.user})`, advice: rightAdvice(right) };
  const { message } = error;
  if (error.status === undefined)
    return {
      message,
      advice: 'check with: kubectl cluster-info, and give another --context or --kubeconfig',
    };
  if (error.status === 401)
    return { message: 'the API server does not know who you are', advice: 'log in to the cluster again' };
  if (
    error.isNotFound &&
    message.includes(`/apis/${GROUP}/`) &&
    message.includes('could not find the requested resource')
  )
    return {
      message: 'the cluster has no RegistryTokens',
      advice: 'install registry-token-operator, or give another --context',
    };
  return { message: error.isNotFound ? (message.split(' - ').at(-1) ?? message) : message };
}

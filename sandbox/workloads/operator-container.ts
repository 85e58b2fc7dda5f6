import type { Container, EnvironmentVariable, Pod, PodSpec } from './objects.ts';

/** What a process has to be started with to do what a container does. */
export interface OperatorContainer {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** The last part of the image's name, whatever the registry, tag and digest. */
const OPERATOR_IMAGE = /(^|\/)registry-token-operator([:@]|$)/;

/** Where newer API servers mount a ServiceAccount's token, which a process does without: it has a kubeconfig. */
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What of a pod and its container no process here can be given. */
function unsupportedBy({ initContainers = [] }: PodSpec, container: Container): string[] {
  const { command, args = [], env = [], envFrom, workingDir, volumeMounts = [] } = container;
  const texts = [...args, ...env.map(({ value = '' }) => value)];
  return [
    ...(initContainers.length === 0 ? [] : ['initContainers']),
    ...(command === undefined ? [] : ['command']),
    ...(envFrom === undefined ? [] : ['envFrom']),
    ...(workingDir === undefined ? [] : ['workingDir']),
    ...(texts.some((text) => text.includes('$(')) ? ['references such as $(NAME)'] : []),
    ...(volumeMounts.every(({ mountPath }) => mountPath === TOKEN_PATH) ? [] : ['volumeMounts']),
  ];
}

/** How the operator is started for a pod; or why no process can stand for that pod. */
export function readOperatorContainer(pod: Pod): OperatorContainer | { refusal: string } {
  const [container, ...more] = pod.spec.containers;
  if (!container || more.length > 0 || !OPERATOR_IMAGE.test(container.image)) {
    const images = pod.spec.containers.map(({ image }) => image).join(', ');
    return { refusal: `there is no kubelet, and ${images} is not the image registry-token-operator alone` };
  }
  const unsupported = unsupportedBy(pod.spec, container);
  if (unsupported.length > 0)
    return { refusal: `there is no kubelet, and a process has no ${unsupported.join(', ')} of a container` };
  const { restartPolicy = 'Always' } = pod.spec;
  if (restartPolicy !== 'Always')
    return { refusal: `a process is started again whenever it ends, and restartPolicy is ${restartPolicy}` };
  const env: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, pod);
    if (value === undefined)
      return {
        refusal: `there is no kubelet to read the environment variable ${variable.name} from where it is`,
      };
    env[variable.name] = value;
  }
  return { args: container.args ?? [], env };
}

function valueOf({ value = '', valueFrom }: EnvironmentVariable, pod: Pod): string | undefined {
  if (valueFrom === undefined) return value;
  const path = valueFrom.fieldRef?.fieldPath ?? '';
  const [, map, key = ''] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (map === 'labels' || map === 'annotations') return pod.metadata[map]?.[key] ?? '';
  return new Map([
    ['metadata.name', pod.metadata.name],
    ['metadata.namespace', pod.metadata.namespace],
    ['metadata.uid', pod.metadata.uid],
    ['spec.serviceAccountName', pod.spec.serviceAccountName ?? 'default'],
    ['status.podIP', LOOPBACK],
    ['status.hostIP', LOOPBACK],
  ]).get(path);
}

/** Where a process is reached. */
export const LOOPBACK = '127.0.0.1';

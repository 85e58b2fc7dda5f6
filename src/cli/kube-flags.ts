import { Option } from 'commander';

/** The flags by which kubectl finds a cluster, as far as this plugin has them. */
export interface KubeFlags {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  cluster?: string | undefined;
  user?: string | undefined;
  namespace?: string | undefined;
  as?: string | undefined;
  requestTimeout?: string | undefined;
}

export const KUBE_OPTIONS: readonly Option[] = [
  new Option('-n, --namespace <name>', "namespace; default: that of the kubeconfig's context"),
  new Option('--kubeconfig <file>', 'kubeconfig file; default: KUBECONFIG, ~/.kube/config, or the pod'),
  new Option('--context <name>', 'context of the kubeconfig'),
  new Option('--cluster <name>', 'cluster of the kubeconfig'),
  new Option('--user <name>', 'user of the kubeconfig'),
  new Option('--as <user>', 'user to impersonate'),
  new Option('--request-timeout <duration>', 'how long one request to the API server may take, such as 30s'),
];

/** As kubectl takes it: a number of seconds, or a duration of Go in whole units. */
const TIMEOUT = /^(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s?)?$/;

/** Milliseconds of `--request-timeout`; 0 and nothing: the default. @returns null for what is no duration */
export function readTimeout(text: string | undefined): number | undefined | null {
  if (text === undefined) return undefined;
  const match = TIMEOUT.exec(text);
  if (!match || text === '') return null;
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((digits) => Number(digits ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 || undefined;
}

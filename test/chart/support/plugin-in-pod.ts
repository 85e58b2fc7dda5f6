import { dirname } from 'node:path';
import { documented } from './documentation.ts';
import { helms, NAMESPACE, RELEASE, runProgram, type Outcome } from './helm.ts';

/** As the documentation has it, for a release of its names. */
const NAMES = '--namespace registry-token-operator exec deployment/registry-token-operator --';
const OURS = `--namespace ${NAMESPACE} exec deployment/${RELEASE}-registry-token-operator --`;

/**
 * Runs the kubectl plugin in the operator's pod with the command of the documentation.
 * @param kubeconfig path of one with which `kubectl exec` works
 * @param words for the plugin, in place of those that the documentation gives it
 */
export async function pluginInPod(kubeconfig: string, words?: string): Promise<Outcome> {
  const asWritten = await documented('kubectl-plugin.md', /exec deployment/);
  if (!asWritten.includes(NAMES)) throw new Error(`the documentation has not ${NAMES}`);
  const command = asWritten.replace(NAMES, OURS);
  const plugin = 'kubectl-registrytoken';
  const given =
    words === undefined ? command : command.replace(new RegExp(` ${plugin} .*`), ` ${plugin} ${words}`);
  const PATH = `${dirname(helms.get(4)!.kubectl)}:${process.env['PATH']}`;
  return runProgram('sh', ['-ec', given], '', { KUBECONFIG: kubeconfig, PATH });
}

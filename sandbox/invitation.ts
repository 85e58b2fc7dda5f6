import type { Options } from './options.ts';

/**
 * What there is to try, in lines.
 * @param folder of the run; ends with a slash
 * @param flags to start an operator with
 */
export function invitation(options: Options, folder: string, flags: readonly string[]): string[] {
  return [
    'In another terminal:',
    '',
    `  export KUBECONFIG=${folder}kubeconfig`,
    ...(options.empty ? installation(folder) : acquaintance(options, folder, flags)),
    'Ctrl-C stops everything.',
    '',
  ];
}

function installation(folder: string): string[] {
  return [
    '  helm install registry-token-operator charts/registry-token-operator \\',
    `    --namespace registry-token-operator --create-namespace --values ${folder}values.yaml --wait`,
    '  kubectl wait registrytoken/app-pull --for=condition=Ready',
    '',
  ];
}

function acquaintance({ operator }: Options, folder: string, flags: readonly string[]): string[] {
  return [
    '  kubectl get registrytokens,secrets,events',
    '  kubectl annotate registrytoken app-pull pullsecrets.dev/rotate="$(date)" --overwrite',
    '  kubectl delete registrytoken app-pull',
    '',
    ...(operator
      ? [
          'Unlike by default, previous tokens are revoked after 10 s, tokens have no budget, and the account allows ReadWrite and Never.',
          `The operator writes its log to ${folder}operator.log.`,
        ]
      : ['No operator runs. To start one:', '', `  npm start -- ${flags.join(' ')}`, '']),
  ];
}

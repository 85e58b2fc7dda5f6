import type { Command } from '../command.ts';
import { completionScript, SHELLS, type Shell } from '../completion/scripts.ts';

export const COMPLETION: Command = {
  name: 'completion',
  arguments: [{ name: '<SHELL>', about: `one of ${SHELLS.join(', ')}`, completes: SHELLS }],
  summary: 'Print what completes this command in a shell',
  about:
    'For kubectl itself, put a file kubectl_complete-registrytoken that holds what "completion kubectl" prints into PATH and make it executable.',
  examples: [
    {
      to: 'Complete kubectl-registrytoken in the running bash',
      run: 'source <(kubectl registrytoken completion bash)',
    },
    {
      to: 'Complete "kubectl registrytoken" wherever kubectl completes',
      run: 'kubectl registrytoken completion kubectl > kubectl_complete-registrytoken',
    },
  ],
  run: async ({ terminal }, { args: [shell] }) => terminal.write(completionScript(shell as Shell)),
};

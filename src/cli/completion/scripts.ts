/** What completion can be printed for: shells that run kubectl-registrytoken, and kubectl, which asks a helper about its plugins. */
export const SHELLS = ['bash', 'zsh', 'fish', 'kubectl'] as const;
export type Shell = (typeof SHELLS)[number];

const PROGRAM = 'kubectl-registrytoken';
/** Asks the program, and leaves out the last line, which is for kubectl. */
const ASK = `${PROGRAM} __complete`;

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of ${PROGRAM} in bash.
_kubectl_registrytoken() {
  local line
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [[ $line == :* ]] || COMPREPLY+=("$line")
  done < <(${ASK} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kubectl_registrytoken ${PROGRAM}
`,
  zsh: `#compdef ${PROGRAM}
# Completion of ${PROGRAM} in zsh.
_kubectl_registrytoken() {
  local -a found
  local line
  while IFS= read -r line; do
    [[ $line == :* ]] || found+=("\${line/$'\\t'/:}")
  done < <(${ASK} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe '${PROGRAM}' found
}
compdef _kubectl_registrytoken ${PROGRAM}
`,
  fish: `# Completion of ${PROGRAM} in fish.
function __kubectl_registrytoken
  set --local words (commandline -opc)
  ${ASK} $words[2..-1] (commandline --current-token) 2>/dev/null | string match --invert ':*'
end
complete --command ${PROGRAM} --no-files --arguments '(__kubectl_registrytoken)'
`,
  // kubectl, pkg/cmd/plugin/plugin_completion.go: it runs the helper with the words behind the plugin's name.
  kubectl: `#!/usr/bin/env sh
# kubectl_complete-registrytoken: what kubectl runs to complete "kubectl registrytoken".
exec ${ASK} "$@"
`,
};

/** The text to source, or to put into a file. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

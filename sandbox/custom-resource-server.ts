import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { killAtExit } from './programs.ts';

/** Where in etcd its objects are. */
export const CUSTOM_RESOURCE_PREFIX = '/custom-resources';

export interface CustomResourceServerOptions {
  /** Path of the program apiextensions-apiserver. */
  binary: string;
  etcd: string;
  port: number;
  /** Paths of the PEM files to serve with. */
  tls: { certificate: string; key: string };
  /** Path of an administrator's, of the kube-apiserver that passes requests on. */
  kubeconfig: string;
  /**
   * Path of one for a server that has what admission watches of kube-apiserver, and ValidatingAdmissionPolicies, which are enforced then.
   */
  admission?: string | undefined;
}

/**
 * Starts Kubernetes' own server of custom resources as a process of its own. It serves CustomResourceDefinitions and what they
 * define; users, roles, namespaces and webhooks are those of kube-apiserver.
 * @returns a function that stops it
 * @throws Error with what it said when it ends before it serves
 */
export async function startCustomResourceServer(
  options: CustomResourceServerOptions,
): Promise<() => Promise<void>> {
  const { binary, etcd, port, tls, kubeconfig, admission } = options;
  // They watch kinds that an older kube-apiserver does not have.
  const disabled = [
    'MutatingAdmissionPolicy',
    ...(admission === undefined ? ['ValidatingAdmissionPolicy'] : []),
  ];
  const flags = [
    `--etcd-servers=${etcd}`,
    // Not where kube-apiserver keeps its own.
    `--etcd-prefix=${CUSTOM_RESOURCE_PREFIX}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${tls.certificate}`,
    `--tls-private-key-file=${tls.key}`,
    `--kubeconfig=${admission ?? kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--disable-admission-plugins=${disabled.join(',')}`,
    '--enable-priority-and-fairness=false',
  ];
  const server = spawn(binary, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  killAtExit(server);
  const exited = once(server, 'exit');
  let said = '';
  for await (const line of createInterface(server.stderr)) {
    said += `${line}\n`;
    if (!line.includes(`Serving securely on 127.0.0.1:${port}`)) continue;
    server.stderr.resume();
    return async () => {
      // Asked politely, it waits up to a minute for the watches that kube-apiserver has open.
      server.kill('SIGKILL');
      await exited;
    };
  }
  throw new Error(`apiextensions-apiserver ended before it served:\n${said}`);
}

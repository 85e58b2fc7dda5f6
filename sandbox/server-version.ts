/** What an API server says of itself at /version. */
export interface ServerVersion {
  /** As in `20`, or `20+`. */
  minor: string;
  /** As in `go1.19.8`. */
  goVersion: string;
}

/**
 * Whether the server survives custom resources: releases before 1.23 carry a github.com/modern-go/reflect2 that faults, on the
 * first custom resource written or read, when built with Go 1.18 or later (fixed by reflect2 1.0.2).
 */
export function storesCustomResources({ minor, goVersion }: ServerVersion): boolean {
  const go = Number.parseInt(/^go1\.(\d+)/.exec(goVersion)?.[1] ?? '', 10);
  return Number.parseInt(minor, 10) >= 23 || !(go >= 18);
}

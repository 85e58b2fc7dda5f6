import { ECR } from './ecr/kind.ts';
import { HARBOR } from './harbor/kind.ts';
import { IBM_CLOUD } from './ibm-cloud/kind.ts';
import { IBM_REGISTRY_TOKENS } from './ibm-registry-tokens/kind.ts';
import type { RegistryKind } from './registry-kind.ts';

/** Every registry that there is a fake of, by its name on command lines. */
export const REGISTRIES = {
  'ibm-cloud': IBM_CLOUD,
  harbor: HARBOR,
  ecr: ECR,
  'ibm-registry-tokens': IBM_REGISTRY_TOKENS,
} satisfies Record<string, RegistryKind>;

export type RegistryName = keyof typeof REGISTRIES;

export const REGISTRY_NAMES = Object.keys(REGISTRIES) as RegistryName[];

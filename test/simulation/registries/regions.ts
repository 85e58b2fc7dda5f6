/** A region that no account has unless it defines it. */
export const LAB = 'lab';
export const REGIONS = ['us-south', 'eu-de', LAB] as const;
export const DEFAULT_REGION = REGIONS[0];
/** A registry for each region, and one that no region leads to at first. */
export const REGISTRIES = [...REGIONS, 'spare'] as const;

/** Where there is no registry. */
export const NOWHERE = 'nowhere.test';

/** A region of an account. */
export interface RegionDefinition {
  name: string;
  host: string;
  endpoint?: string;
}

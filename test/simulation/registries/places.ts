import type { Whereabouts } from './provider.ts';

/** A place of an account: the API behind a region, or behind the account where its registry has no regions. */
export interface PlaceOfAccount {
  /** Empty: the registry has no regions. */
  region: string;
  host: string;
  endpoint: string;
}

/** Where an account leads, by its spec alone. */
export function placesOf({ ibmCloud, harbor, regions = [] }: Whereabouts): PlaceOfAccount[] {
  if (harbor) return [{ region: '', host: harbor.host ?? '', endpoint: harbor.url }];
  return regions.map(({ name, host, endpoint }) => ({
    region: name,
    host,
    endpoint: ibmCloud?.iamEndpoint ?? endpoint ?? `https://${host}`,
  }));
}

import { endpointForm, type Place, type Places, type RegionDefinition } from '../port.ts';

/** What the regions of a partition have in common: https://docs.aws.amazon.com/general/latest/gr/rande.html */
interface Partition {
  /** As in ARNs. */
  id: string;
  domain: string;
  regions: RegExp;
  /** Where the partition's credentials are verified. */
  home: string;
}

/** From the SDK's endpoint rules. The first whose pattern matches counts. */
const PARTITIONS: readonly Partition[] = [
  { id: 'aws-cn', domain: 'amazonaws.com.cn', regions: /^cn-\w+-\d+$/, home: 'cn-north-1' },
  { id: 'aws-us-gov', domain: 'amazonaws.com', regions: /^us-gov-\w+-\d+$/, home: 'us-gov-west-1' },
  { id: 'aws-eusc', domain: 'amazonaws.eu', regions: /^eusc-de-\w+-\d+$/, home: 'eusc-de-east-1' },
  { id: 'aws-iso', domain: 'c2s.ic.gov', regions: /^us-iso-\w+-\d+$/, home: 'us-iso-east-1' },
  { id: 'aws-iso-b', domain: 'sc2s.sgov.gov', regions: /^us-isob-\w+-\d+$/, home: 'us-isob-east-1' },
  { id: 'aws-iso-e', domain: 'cloud.adc-e.uk', regions: /^eu-isoe-\w+-\d+$/, home: 'eu-isoe-west-1' },
  { id: 'aws-iso-f', domain: 'csp.hci.ic.gov', regions: /^us-isof-\w+-\d+$/, home: 'us-isof-south-1' },
  {
    id: 'aws',
    domain: 'amazonaws.com',
    regions: /^(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d+$/,
    home: 'us-east-1',
  },
];

/** Regions to name in messages. Other names that have the form of AWS's regions are valid too. */
const NAMES = `
  af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
  ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6
  ap-southeast-7 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1 eu-central-2 eu-north-1
  eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1
  mx-central-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2`
  .trim()
  .split(/\s+/);

/** Where public ECR has its API; its registry is one for the whole world. */
const PUBLIC_REGION = 'us-east-1';
const PUBLIC_HOST = 'public.ecr.aws';

/** Fields of an account's block that say where its registries are. */
export interface Location {
  registryId?: string | undefined;
  public?: boolean | undefined;
  publicEndpoint?: string | undefined;
  stsEndpoint?: string | undefined;
}

/**
 * The registries of an account: those of AWS's regions and those that it declares. An account with a token service that is not
 * AWS's has only those that it declares, since its credentials must not be sent to AWS.
 */
export function placesOf(location: Location, declared: readonly RegionDefinition[]): Places {
  if (location.public) {
    const endpoint = endpointForm(
      location.publicEndpoint ?? `https://api.ecr-public.${PUBLIC_REGION}.amazonaws.com`,
    );
    const place: Place = { region: '', host: PUBLIC_HOST, endpoint };
    return {
      defaultRegion: undefined,
      all: [place],
      resolve: (region) => (region === undefined || region === '' ? place : undefined),
    };
  }
  const builtIn = location.stsEndpoint === undefined || isOfAws(location.stsEndpoint);
  const own = declared.map(({ name }) => name);
  const names = [...new Set([...(builtIn ? NAMES : []), ...own])].sort();
  const defaultRegion = own[0] ?? 'us-east-1';
  const resolve = (name = defaultRegion): Place | undefined => {
    const definition = declared.find((each) => each.name === name);
    if (definition) {
      const endpoint = endpointForm(definition.endpoint || `https://${definition.host}`);
      return { region: name, host: definition.host, endpoint };
    }
    const partition = partitionOf(name);
    const { registryId } = location;
    if (!builtIn || !partition || registryId === undefined) return undefined;
    return {
      region: name,
      host: `${registryId}.dkr.ecr.${name}.${partition.domain}`,
      endpoint: `https://api.ecr.${name}.${partition.domain}`,
    };
  };
  return { defaultRegion, all: names.flatMap((name) => resolve(name) ?? []), resolve };
}

/** What AWS calls the region of a place, whatever the account calls it: requests are signed for it. */
export function regionOf({ region, endpoint }: Pick<Place, 'region' | 'endpoint'>): string {
  return regionIn(endpoint) ?? (region === '' ? PUBLIC_REGION : region);
}

/** The partition of a region as in ARNs; `aws` for a region that AWS does not have. */
export function partitionIdOf(region: string): string {
  return partitionOf(region)?.id ?? 'aws';
}

/**
 * The token service (STS) of a region, whose sessions are good in all regions.
 * @param configured base URL in place of AWS's
 * @returns its base URL, and the region that requests to it are signed for
 */
export function tokenServiceOf(
  region: string,
  configured: string | undefined,
): { endpoint: string; region: string } {
  const usual = `https://sts.${region}.${partitionOf(region)?.domain ?? 'amazonaws.com'}`;
  const endpoint = endpointForm(configured ?? usual);
  return { endpoint, region: regionIn(endpoint) ?? region };
}

/**
 * Where credentials are verified: at the token service that the account names, or the pod's region, or that of the role's partition.
 * @param podRegion AWS_REGION, as EKS sets it for pods with an identity
 */
export function homeRegion(
  { roleArn, stsEndpoint }: { roleArn?: string | undefined; stsEndpoint?: string | undefined },
  podRegion: string | undefined,
): string {
  const named = regionIn(stsEndpoint ?? '');
  if (named !== undefined) return named;
  const id = roleArn?.split(':')[1];
  const partition = PARTITIONS.find((each) => each.id === id);
  if (podRegion !== undefined && (!partition || partition.regions.test(podRegion))) return podRegion;
  return partition?.home ?? 'us-east-1';
}

/** The region that an endpoint of AWS names, FIPS and VPC endpoints included: `https://ecr-fips.us-east-1.amazonaws.com`. */
function regionIn(endpoint: string): string | undefined {
  return /^https:\/\/(?:[\w-]+\.)*(?:ecr|ecr-public|sts)(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\./.exec(
    endpoint,
  )?.[1];
}

function partitionOf(region: string): Partition | undefined {
  return PARTITIONS.find(({ regions }) => regions.test(region));
}

/** Whether a token service is AWS's own, whose sessions the built-in regions take. */
function isOfAws(endpoint: string): boolean {
  const url = URL.parse(endpoint);
  const ours = PARTITIONS.some(({ domain }) => url?.hostname.endsWith(`.${domain}`));
  return url?.protocol === 'https:' && url.port === '' && ours;
}

/** What people write into specs, and what they are told. */
export interface Refusal {
  what: string;
  spec: object;
  /** Below `spec`. */
  field: string;
  /** Part of the message, the API server's and the operator's own. */
  words: string;
}

const DURATION = 'it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s; a day is 24h';
const LIFETIME =
  'it takes a duration in hours, minutes and seconds, such as 24h, 1h30m or 45s, or Never; a day is 24h';
const CENTURY = 'it takes at most 876000h, which is 100 years';
const HOSTS =
  "it takes hosts of registries as in images' names, such as us.icr.io, registry:5000 or [fd00::1]:5000, or *.example.com for all hosts right below a domain";
const HOST =
  "it takes the host of a registry as in images' names, in lower case, such as us.icr.io, registry:5000 or [fd00::1]:5000";
const DESCRIPTION = 'it takes at most 128 characters, without square brackets and line breaks';
const objectSuchAs = (example: string): string =>
  `it takes the name of an object: lower case letters, digits and, between them, dashes and dots, such as ${example}`;
const REGION =
  'it takes the name of a region: lower case letters, digits and, between them, dashes, such as us-south';
const URL = 'it takes an HTTP or HTTPS URL without user name, query and fragment, such as https://us.icr.io';
const IAM_URL =
  'it takes an HTTP or HTTPS URL without user name, query and fragment, such as https://iam.cloud.ibm.com';
const HARBOR_URL =
  'it takes an HTTP or HTTPS URL without user name, query and fragment, such as https://harbor.example.com';
const SCOPE = 'it takes names as they stand in images after the host, in lower case, such as team-a';
const PATTERN =
  'it takes names of parts of the registry, with * for any characters within a name and $(namespace) for the namespace of the RegistryToken, such as team-a, team-* or $(namespace)';
const LABELS =
  'it takes no label that begins with pullsecrets.dev/ and no app.kubernetes.io/managed-by: the operator sets these itself; leave it out';
const ANNOTATIONS =
  'it takes no annotation that begins with pullsecrets.dev/: the operator sets these itself; leave it out';
const EARLY = 'it takes at least 1m: the next token has to be there before the one in the Secret expires';

const lifetime = (text: string, words = LIFETIME): Refusal => ({
  what: `lifetime ${JSON.stringify(text)}`,
  spec: { lifetime: text },
  field: 'lifetime',
  words,
});
const rotation = (name: string, text: string, words = DURATION): Refusal => ({
  what: `${name} ${JSON.stringify(text)}`,
  spec: { rotation: { [name]: text }, ...(name === 'rotateEvery' && { lifetime: 'Never' }) },
  field: `rotation.${name}`,
  words,
});
const extraHost = (host: string): Refusal => ({
  what: `extra host ${JSON.stringify(host)}`,
  spec: { secret: { extraHosts: [host] } },
  field: 'secret.extraHosts',
  words: HOSTS,
});

/** Specs of RegistryTokens that are refused. */
export const REFUSED_TOKENS: readonly Refusal[] = [
  ...['Default', 'a/b', '-*', 'ci_*', 'a..*'].map((name) => ({
    what: `serviceAccounts: [${name}]`,
    spec: { serviceAccounts: [name] },
    field: 'serviceAccounts',
    words: 'it takes names of ServiceAccounts, such as default, or patterns, such as ci-* or * for all',
  })),
  {
    what: 'serviceAccounts with three * in one pattern',
    spec: { serviceAccounts: ['a*b*c*'] },
    field: 'serviceAccounts',
    words: 'it takes patterns with at most two *, such as ci-* or *-ci-*',
  },
  {
    what: 'serviceAccounts with nine patterns',
    spec: { serviceAccounts: Array.from({ length: 9 }, (_, n) => `a${n}-*`) },
    field: 'serviceAccounts',
    words: 'it takes at most 8 patterns; write a wider one, such as ci-*, or * for all',
  },
  ...['1d', '', '24', '1h 30m', '1.5h', '30m1h', '24H', 'never', '-1h', '1000000h', '24h\n'].map((text) =>
    lifetime(text),
  ),
  lifetime('59s', 'it takes at least 1m, or Never'),
  lifetime('0s', 'it takes at least 1m, or Never'),
  lifetime('876001h', CENTURY),
  rotation('renewBefore', '1d'),
  rotation('renewBefore', '0s', EARLY),
  rotation('renewBefore', '59s', EARLY),
  rotation('rotateEvery', '30d'),
  rotation('rotateEvery', '59s', 'it takes at least 1m'),
  rotation('rotateEvery', '876001h', CENTURY),
  rotation('gracePeriod', 'a day'),
  rotation('gracePeriod', '100000h', 'it takes at most 720h, which is 30 days'),
  rotation('gracePeriod', '720h1s', 'it takes at most 720h, which is 30 days'),
  {
    what: 'renewBefore as long as the lifetime',
    spec: { lifetime: '24h', rotation: { renewBefore: '24h' } },
    field: '',
    words: 'rotation.renewBefore must be shorter than lifetime; leave it out for a third of lifetime',
  },
  {
    what: 'renewBefore of a token that never expires',
    spec: { lifetime: 'Never', rotation: { renewBefore: '1h' } },
    field: '',
    words:
      'rotation.renewBefore needs a token that expires; with lifetime Never write rotation.rotateEvery, such as 720h, in its place',
  },
  {
    what: 'rotateEvery of a token that expires',
    spec: { rotation: { rotateEvery: '1h' } },
    field: '',
    words:
      'rotation.rotateEvery is for lifetime Never; leave it out, for a token that expires is rotated before it does',
  },
  ...['team [a]', 'a]', 'a\nb', '[pullsecrets.dev:a:b:1]'].map((description) => ({
    what: `description ${JSON.stringify(description)}`,
    spec: { description },
    field: 'description',
    words: DESCRIPTION,
  })),
  ...[
    'us.icr.io/team',
    'https://us.icr.io/team',
    'registry',
    '*.io',
    'us.icr.io:0',
    'us.icr.io:65536',
    'us_1.icr.io',
    '[::1]',
    '[fd00::1%eth0]:5000',
    '[::ffff:10.0.0.1]:5000',
    '[fd00::1::2]:5000',
    'fd00::1',
  ].map(extraHost),
  {
    what: 'a Secret named My_Secret',
    spec: { secret: { name: 'My_Secret' } },
    field: 'secret.name',
    words: objectSuchAs('app-pull'),
  },
  {
    what: 'a Secret named a..b',
    spec: { secret: { name: 'a..b' } },
    field: 'secret.name',
    words: objectSuchAs('app-pull'),
  },
  {
    what: 'an account named Prod',
    spec: { accountRef: { name: 'Prod' } },
    field: 'accountRef.name',
    words: objectSuchAs('default'),
  },
  { what: 'region US South', spec: { region: 'US South' }, field: 'region', words: REGION },
  ...['pullsecrets.dev/registrytoken-uid', 'app.kubernetes.io/managed-by'].map((key) => ({
    what: `label ${key} for the Secret`,
    spec: { secret: { labels: { [key]: 'me' } } },
    field: 'secret.labels',
    words: LABELS,
  })),
  ...['*', 'Team', 'team/', '/team', 'a..b/*', 'a b', 'a,b', '-a'].map((name) => ({
    what: `the scope ${name}`,
    spec: { scope: [name] },
    field: 'scope',
    words: SCOPE,
  })),
  {
    what: 'an annotation of the operator for the Secret',
    spec: { secret: { annotations: { 'pullsecrets.dev/checksum': 'x' } } },
    field: 'secret.annotations',
    words: ANNOTATIONS,
  },
];

/** Specs of RegistryTokens that are taken. */
export const TAKEN_TOKENS: readonly object[] = [
  {},
  { lifetime: 'Never', rotation: { rotateEvery: '1m', gracePeriod: '0s' } },
  { lifetime: '1m' },
  { serviceAccounts: ['default', 'a.b', '*', 'ci-*', '*.x', 'a*b-*', 'a*', 'b*', 'c*', 'd*'] },
  { lifetime: '876000h', rotation: { renewBefore: '1m', gracePeriod: '720h' } },
  { lifetime: '1h30m45s', rotation: { renewBefore: '1h30m44s' } },
  { scope: ['team-a', 'team_b/app', 'a.b--c/d/e', 'x'.repeat(255)] },
  { rotation: { renewBefore: '8h' } },
  { description: '😀'.repeat(128) },
  { secret: { extraHosts: ['us.icr.io', '*.example.com:5000', 'localhost', 'HTTPS://US.icr.io:65535/v2/'] } },
  { secret: { extraHosts: ['[::1]:5000', '[fd00::1]:5000', 'https://[2001:DB8:0:0:0:0:0:1]:443/v2/'] } },
  { secret: { labels: { team: 'a' }, annotations: { 'example.com/pullsecrets.dev': '[x]' } } },
];

/** Parts of specs of RegistryAccounts that are refused. */
export const REFUSED_ACCOUNTS: readonly Refusal[] = [
  ...['US.icr.io', 'us.icr.io/team', 'https://us.icr.io', 'registry', '*.icr.io', '[::1]', '[::]:0'].map(
    (host) => ({
      what: `the host ${host} of a region`,
      spec: { regions: [{ name: 'here', host }] },
      field: 'regions[0].host',
      words: HOST,
    }),
  ),
  ...['us.icr.io', 'ftp://us.icr.io', 'https://me:pass@us.icr.io', 'https://us.icr.io?a=b'].map(
    (endpoint) => ({
      what: `the endpoint ${endpoint} of a region`,
      spec: { regions: [{ name: 'here', host: 'us.icr.io', endpoint }] },
      field: 'regions[0].endpoint',
      words: URL,
    }),
  ),
  {
    what: 'an abandoned endpoint without a scheme',
    spec: { abandonedEndpoints: ['us.icr.io'] },
    field: 'abandonedEndpoints[0]',
    words: URL,
  },
  {
    what: 'a region named Here',
    spec: { regions: [{ name: 'Here', host: 'us.icr.io' }] },
    field: 'regions[0].name',
    words: REGION,
  },
  { what: 'defaultRegion Mars', spec: { defaultRegion: 'Mars' }, field: 'defaultRegion', words: REGION },
  {
    what: 'iamEndpoint without a scheme',
    spec: { ibmRegistryTokens: { iamEndpoint: 'iam.cloud.ibm.com' } },
    field: 'ibmRegistryTokens.iamEndpoint',
    words: IAM_URL,
  },
  ...['', 'https://', 'harbor.example.com'].map((url) => ({
    what: `Harbor's URL ${JSON.stringify(url)}`,
    spec: { ibmRegistryTokens: undefined, harbor: { url } },
    field: 'harbor.url',
    words: url.length < 8 ? 'should be at least 8 chars long' : HARBOR_URL,
  })),
  ...['https://harbor.example.com/api', 'https://example.com/harbor/api/v2.0/'].map((url) => ({
    what: `Harbor's URL ${url}`,
    spec: { ibmRegistryTokens: undefined, harbor: { url } },
    field: 'harbor.url',
    words: 'it takes the URL of Harbor without /api, such as https://harbor.example.com',
  })),
  {
    what: 'the service ID iam-1',
    spec: { ibmRegistryTokens: undefined, ibmCloud: { serviceId: 'iam-1', serviceIdAccess: 'ReadOnly' } },
    field: 'ibmCloud.serviceId',
    words: 'it takes the id of a service ID, which begins with ServiceId-, such as ServiceId-0a1b2c3d',
  },
  ...['Team', 'a b', '$(name)', 'a,b'].map((pattern) => ({
    what: `the pattern ${pattern} for scopes`,
    spec: { limits: { scopes: [pattern] } },
    field: 'limits.scopes[0]',
    words: PATTERN,
  })),
  {
    what: 'two registries',
    spec: { harbor: { url: 'https://harbor.example.com' } },
    field: '',
    words: 'it takes exactly one of ibmCloud, ibmRegistryTokens, harbor and ecr, such as ibmCloud: {}',
  },
  {
    what: 'no registry',
    spec: { ibmRegistryTokens: undefined },
    field: '',
    words: 'it takes exactly one of ibmCloud, ibmRegistryTokens, harbor and ecr, such as ibmCloud: {}',
  },
  {
    what: 'maxLifetime 1d',
    spec: { limits: { maxLifetime: '1d' } },
    field: 'limits.maxLifetime',
    words: DURATION,
  },
  {
    what: 'maxLifetime 30s',
    spec: { limits: { maxLifetime: '30s' } },
    field: 'limits.maxLifetime',
    words: 'it takes at least 1m',
  },
  {
    what: 'credentials in a Secret named My_Secret',
    spec: { credentialsSecretRef: { name: 'My_Secret' } },
    field: 'credentialsSecretRef.name',
    words: objectSuchAs('ibm-cloud'),
  },
];

/** Parts of specs of RegistryAccounts that are taken. */
export const TAKEN_ACCOUNTS: readonly object[] = [
  { verify: 'Always' },
  { verify: 'Never', rotation: { requestedAt: 'yesterday' }, limits: { maxLifetime: '24h' } },
  { regions: [{ name: 'here', host: '[fd00::1]:5000', endpoint: 'https://[fd00::1]:5000/api' }] },
  { regions: [{ name: 'here', host: 'localhost:5000', endpoint: 'http://localhost:5000' }] },
  { limits: { scopes: ['team-a', 'team-*', '$(namespace)', 'x/$(namespace)-*'] } },
  { ibmRegistryTokens: undefined, harbor: { url: 'https://harbor.example.com', host: 'registry:5000' } },
  { ibmRegistryTokens: undefined, harbor: { url: 'https://api.example.com/apis/harbor/' } },
  {
    ibmRegistryTokens: undefined,
    ibmCloud: { network: 'Private', serviceId: 'ServiceId-1', serviceIdAccess: 'ReadOnly' },
  },
  { abandonedEndpoints: ['https://us.icr.io', 'http://localhost:5000/api'] },
];

import { expect } from 'chai';
import { createSelfSigned } from '../../../sandbox/self-signed-certificate.ts';
import { accountFault, type RegistryAccountSpec } from '../../../src/api/registry-account.ts';

describe('certificates of authorities in an account', () => {
  const credentialsSecretRef = { name: 'ibm-cloud' };
  let pem: string;
  before(async () => {
    pem = (await createSelfSigned('authority', Date.now())).certificate;
  });
  const fault = (caBundle: string): string | undefined => accountFault({ credentialsSecretRef, caBundle });

  it('are taken, one or several, with what else stands between them', () => {
    for (const text of ['', pem, `${pem}${pem}`, `# ours\n${pem}\n# theirs\n${pem}`])
      expect(fault(text)).to.equal(undefined);
  });

  it('are refused where there is none, or one that is broken', () => {
    const broken = pem.replace(/\n[^-\n]{8}/, '\nAAAAAAAA');
    for (const text of ['none', 'LS0tLS1CRUdJTg==', broken, `${pem}${broken}`])
      expect(fault(text)).to.match(/^spec\.caBundle holds no certificate in PEM form/);
  });
});

describe('URLs in an account, where the API server checks none', () => {
  const credentialsSecretRef = { name: 'ibm-cloud' };
  const bad = 'https://me:some-password@registry.example.com';
  const specs: [field: string, spec: Omit<RegistryAccountSpec, 'credentialsSecretRef'>][] = [
    ['ibmCloud.iamEndpoint', { ibmCloud: { iamEndpoint: bad } }],
    ['ibmRegistryTokens.iamEndpoint', { ibmRegistryTokens: { iamEndpoint: bad } }],
    ['harbor.url', { harbor: { url: bad } }],
    ['ecr.stsEndpoint', { ecr: { stsEndpoint: bad } }],
    ['ecr.publicEndpoint', { ecr: { publicEndpoint: bad } }],
    ['regions[here].endpoint', { regions: [{ name: 'here', host: 'us.icr.io', endpoint: bad }] }],
  ];
  for (const [field, spec] of specs)
    it(`${field} is refused with a user and a password in it, which nobody is told`, () => {
      const said = accountFault({ credentialsSecretRef, ...spec });
      expect(said).to.include(`spec.${field} takes an HTTP or HTTPS URL`).and.not.include('some-password');
      const good = JSON.parse(JSON.stringify(spec).replace(bad, 'https://registry.example.com/api'));
      expect(accountFault({ credentialsSecretRef, ...good })).to.equal(undefined);
    });
});

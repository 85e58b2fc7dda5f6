import { expect } from 'chai';
import { examine, type Request } from '../../../src/token/decide/eligibility.ts';
import { anAccount, aRequest, aTokenSpec, aWanted, DAY, HOUR } from '../../support/builders.ts';

type Limits = NonNullable<ReturnType<typeof anAccount>['spec']['limits']>;

const limited = (limits: Limits, spec: Parameters<typeof aTokenSpec>[0] = {}) =>
  aRequest({ account: anAccount({ spec: { limits } }), spec: aTokenSpec(spec) });
const red = anAccount({ spec: { namespaceSelector: { matchLabels: { team: 'red' } } } });

describe('examining a request', () => {
  describe('settles', () => {
    const rows: [string, Request, object][] = [
      ['the default region of the account', aRequest(), aWanted()],
      [
        'a region by its name',
        aRequest({ spec: aTokenSpec({ region: 'eu-de' }) }),
        { region: 'eu-de', host: 'de.icr.io' },
      ],
      [
        'a region by its alias, as the same token',
        aRequest({ spec: aTokenSpec({ region: 'us' }) }),
        aWanted(),
      ],
      [
        'us-south where the account has no default',
        aRequest({ account: anAccount({ spec: { defaultRegion: undefined } }) }),
        aWanted(),
      ],
      [
        'a namespace that the account selects',
        aRequest({ account: red, namespace: { name: 'team', labels: { team: 'red' }, terminating: false } }),
        aWanted(),
      ],
      ['access within the limit', limited({ maxAccess: 'ReadOnly' }), aWanted()],
      ['a lifetime exactly at the limit', limited({ maxLifetime: '24h' }), aWanted()],
      [
        'Never, whatever the longest lifetime of a token that expires',
        limited({ maxLifetime: '1h' }, { lifetime: 'Never' }),
        { account: 'default', region: 'us-south' },
      ],
    ];
    for (const [name, request, wanted] of rows) {
      it(name, () => expect(examine(request)).to.have.property('wanted').that.deep.includes(wanted));
    }
  });

  /** Each row is refused for its own reason, and would be for those of all rows after it too. */
  describe('refuses, in this order', () => {
    const rows: [part: Partial<Request>, reason: string, message: string][] = [
      [
        { account: undefined },
        'AccountNotFound',
        'RegistryAccount default does not exist; create it, or name another in spec.accountRef.name',
      ],
      [
        { namespace: { name: 'team', labels: {}, terminating: true } },
        'NamespaceTerminating',
        'namespace team is being deleted; nothing is created in it any more',
      ],
      [
        { namespace: { name: 'team', labels: { team: 'blue' }, terminating: false } },
        'NamespaceNotAllowed',
        "RegistryAccount default is not for namespace team: its namespaceSelector does not match the namespace's labels",
      ],
      [
        { namespace: { name: 'team', labels: { team: 'red' }, terminating: false } },
        'RegionUnknown',
        'RegistryAccount default has no region mars; it has us-south, eu-de',
      ],
      [
        { spec: aTokenSpec({ access: 'ReadWrite', lifetime: 12 * HOUR }) },
        'AccessNotAllowed',
        'RegistryAccount default allows at most ReadOnly; spec.access asks for ReadWrite',
      ],
      [
        { spec: aTokenSpec({ lifetime: 12 * HOUR }) },
        'LifetimeNotAllowed',
        'RegistryAccount default allows at most 1h; spec.lifetime asks for 12h',
      ],
      [
        { spec: aTokenSpec({ lifetime: HOUR }) },
        'AccessNotAllowed',
        'IBMRegistryTokens offers ReadWrite; spec.access asks for ReadOnly',
      ],
      [
        { offer: { access: ['ReadOnly'], lifetimes: [DAY, 'Never'] } },
        'LifetimeNotOffered',
        'IBMRegistryTokens offers lifetimes 24h and Never; spec.lifetime asks for 1h',
      ],
    ];
    let request = aRequest({
      spec: aTokenSpec({ region: 'mars', access: 'ReadWrite', lifetime: 12 * HOUR }),
      account: anAccount({
        spec: {
          namespaceSelector: { matchLabels: { team: 'red' } },
          limits: { maxAccess: 'ReadOnly', maxLifetime: '1h' },
        },
      }),
      offer: { access: ['ReadWrite'], lifetimes: [DAY, 'Never'] },
    });
    const { account } = request;
    for (const [part, reason, message] of rows) {
      const refused = { ...request, ...part };
      request = 'account' in part ? { ...request, account } : refused;
      it(message, () => expect(examine(refused)).to.deep.equal({ refusal: { reason, message } }));
    }
    it('and grants what is left', () => {
      expect(examine({ ...request, offer: { access: ['ReadOnly'], lifetimes: [HOUR] } })).to.have.property(
        'wanted',
      );
    });
  });

  describe('refuses a token without end', () => {
    it('where the account does not allow it', () => {
      expect(examine(limited({ allowNeverExpiring: false }, { lifetime: 'Never' }))).to.deep.equal({
        refusal: {
          reason: 'LifetimeNotAllowed',
          message:
            'RegistryAccount default does not allow tokens that never expire; spec.lifetime asks for Never',
        },
      });
    });
    it('where the registry does not offer it', () => {
      const request = aRequest({
        spec: aTokenSpec({ lifetime: 'Never' }),
        offer: { access: ['ReadOnly'], lifetimes: [DAY] },
      });
      expect(examine(request)).to.have.property('refusal').that.includes({ reason: 'LifetimeNotOffered' });
    });
  });

  it('allows nothing under a limit that can not be read', () => {
    expect(examine(limited({ maxLifetime: 'a week' })))
      .to.have.property('refusal')
      .that.includes({
        reason: 'LifetimeNotAllowed',
      });
  });
});

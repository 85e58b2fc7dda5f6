import { Option } from 'commander';
import type { RegistryAccount } from '../../api/registry-account.ts';
import { accountName } from '../../api/registry-token.ts';
import { REGISTRY_ACCOUNTS } from '../../api/resources.ts';
import type { KubeObject } from '../../common/objects.ts';
import { SECRETS } from '../../kube/client/resources.ts';
import { providerOf } from '../../registry/backends.ts';
import { CircuitBreaker } from '../../registry/http/circuit-breaker.ts';
import { HttpClient } from '../../registry/http/http-client.ts';
import { LoginProbe } from '../../registry/login-probe/login-probe.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import type { Secret } from '../../token/secret/secret.ts';
import {
  CHECK_COLUMNS,
  checked,
  loginsOf,
  namesCover,
  type CheckedLogin,
  type Wish,
} from '../check/logins.ts';
import type { Command } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { renderListing } from '../output/listing.ts';
import { NO_METRICS, registryHttp } from '../registries.ts';
import { found, see } from '../seen.ts';
import { selectedTokens } from '../selected-tokens.ts';

export const CHECK: Command = {
  name: 'check',
  arguments: [{ name: '<NAME>', about: 'of a RegistryToken', completes: 'RegistryTokens' }],
  summary: 'Log in to the registry with the Secret, as kubelet would, and try to pull and push',
  about:
    "Tries each host of the Secret from where the command runs, which need not be able to reach what a node reaches: in the operator's pod it tries from there. Asks the registry for permission to pull, or with a ReadWrite token to push too, in each name of the scope; nothing is pulled or pushed. Fails unless every host accepts. Needs get of registrytokens and secrets; without get of registryaccounts only the login is tried, unless --repository says where to pull.",
  examples: [
    { to: 'Check what pods can do with a Secret', run: 'kubectl registrytoken check app-pull -n team-a' },
    {
      to: 'Check whether one repository can be pulled',
      run: 'kubectl registrytoken check app-pull -n team-a --repository team-a/app',
    },
    {
      to: 'Check whether it can be pushed to',
      run: 'kubectl registrytoken check build -n team-a --repository team-a/app --push',
    },
  ],
  options: [
    new Option(
      '--repository <name>',
      'repository to try, as in images after the host; in place of the scope',
    ),
    new Option('--push', 'try to push as well, whatever the access of the token'),
    new Option('--no-push', 'try to pull only'),
  ],
  formats: ['table', 'json', 'yaml'],
  async run(context, { args: [name], options }) {
    const { client, namespace, signal, format, terminal, clock } = context;
    const [token] = await selectedTokens(context, name);
    if (!token) return;
    const { repository, push } = options;
    const wish: Wish = {
      repositories: typeof repository === 'string' ? [repository] : [],
      push: typeof push === 'boolean' ? push : undefined,
    };
    const secret = await found(
      client.get<Secret & KubeObject>(SECRETS, { namespace, name: wantedSecret(token) }, { signal }),
    );
    if (!secret)
      throw new CommandFailure(
        `there is no Secret ${wantedSecret(token)}`,
        `kubectl registrytoken why ${token.metadata.name} -n ${namespace}`,
      );
    const issuer = accountName(token.spec);
    const seen = await see(
      found(client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name: issuer }, { signal })),
    );
    const account = 'value' in seen ? seen.value : undefined;
    if ('unseen' in seen && wish.repositories.length === 0)
      terminal.tell(`only the login is tried: ${seen.unseen}, which say what a scope stands for\n`);
    const covers = namesCover(wish, account && providerOf(account.spec)?.capabilities.scope);
    const http = new HttpClient({ ...registryHttp(context), caBundle: account?.spec.caBundle || undefined });
    const rows: CheckedLogin[] = [];
    for (const login of loginsOf(token, secret, wish)) {
      const breaker = new CircuitBreaker({ clock, subject: `registry ${login.host}` });
      const surroundings = { http, clock, metrics: NO_METRICS, breaker, account: issuer };
      const probe = new LoginProbe({ ...surroundings, place: login.place, namesCover: covers });
      const scope = covers === undefined ? [] : login.attempt.scope;
      const attempt = { ...login.attempt, scope };
      rows.push(checked({ ...login, attempt }, await probe.try(attempt, signal)));
    }
    terminal.write(
      renderListing({ columns: CHECK_COLUMNS, rows, object: (row) => row, name: ({ host }) => host }, format),
    );
    const bad = rows.filter(({ answer }) => answer !== 'accepted').length;
    if (bad > 0)
      throw new CommandFailure(
        `${bad} of ${rows.length} hosts did not accept the Secret`,
        rows.some(({ answer }) => answer === 'refused')
          ? `kubectl registrytoken status ${token.metadata.name} -n ${namespace} shows whether the Secret holds the present token; kubectl registrytoken rotate replaces it`
          : 'see that the registry can be reached from here, or run it in the pod of the operator',
      );
  },
};

/** Tests that are to notice a fault: files for mocha, or so many seeds of the simulation. */
export type Tests = { files: readonly string[] } | { seeds: number };

/** A deliberate fault: one piece of source replaced by another. */
export interface Mutation {
  /** What goes wrong. */
  name: string;
  file: string;
  /** Exactly once in the file. */
  search: string;
  replace: string;
  caughtBy: Tests;
}

const unit = (...names: string[]): Tests => ({ files: names.map((name) => `test/unit/${name}.test.ts`) });
const seeds = (count: number): Tests => ({ seeds: count });

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a token is created before its intent is recorded',
    file: 'src/controller/issuer.ts',
    search: 'const token = await tokens.writeStatus(owned, announced, signal);',
    replace: 'const token = owned;',
    caughtBy: seeds(20),
  },
  {
    name: 'a mint whose answer was lost is taken for one that failed',
    file: 'src/controller/issuer.ts',
    search: "const uncertain = failure.reason === 'MintUnconfirmed';",
    replace: 'const uncertain = false;',
    caughtBy: seeds(40),
  },
  {
    name: 'a token is revoked while the Secret still holds it',
    file: 'src/controller/token-controller.ts',
    search: 'const held = this.#stillHeld(assessment, progress);',
    replace: 'const held: ReadonlySet<string> = new Set();',
    caughtBy: seeds(300),
  },
  {
    name: 'what is asked for while a mint is open is forgotten',
    file: 'src/controller/token-controller.ts',
    search: '? Math.min(look, AFTERTHOUGHT) : look;',
    replace: '? look : look;',
    caughtBy: unit('controller/token-controller'),
  },
  {
    name: 'a Secret is written with an expired token',
    file: 'src/token/decision.ts',
    search: 'tokenIsGone || isExpired(token, now + skew)) return false;',
    replace: 'tokenIsGone) return false;',
    caughtBy: unit('token/decision'),
  },
  {
    name: 'a rotation is forgotten by the next token that is created for another reason',
    file: 'src/token/status.ts',
    search: 'const handled = lastHandled(before, accountRotation);',
    replace: 'const handled = accountRotation;',
    caughtBy: unit('token/account-rotation'),
  },
  {
    name: 'a watch that breaks as soon as it is open counts as a sign of life',
    file: 'src/kube/reflector.ts',
    search: 'if (!told && isShort()) this.#heard(heardBefore);',
    replace: '',
    caughtBy: unit('kube/reflector'),
  },
  {
    name: 'Secrets of earlier names stay',
    file: 'src/controller/former-secrets.ts',
    search: 'if (former === name) continue;',
    replace: 'if (former !== undefined) continue;',
    caughtBy: seeds(80),
  },
  {
    name: 'a Secret of an earlier name goes while ServiceAccounts give it to pods',
    file: 'src/controller/former-secrets.ts',
    search: 'linker.gives(token, former)',
    replace: 'linker.gives(token, name)',
    caughtBy: unit('controller/former-secrets'),
  },
  {
    name: 'a copy of the Secret goes with those of earlier names',
    file: 'src/controller/former-secrets.ts',
    search: ' || !wrotePayload(secret.metadata.managedFields)',
    replace: '',
    caughtBy: unit('controller/former-secrets'),
  },
  {
    name: 'ServiceAccounts that can not be changed hold a RegistryToken for ever',
    file: 'src/controller/token-finalizer.ts',
    search: 'if (!(error instanceof KubeError || error instanceof DeadlinePassed)) throw error;',
    replace: 'throw error;',
    caughtBy: unit('controller/token-finalizer'),
  },
  {
    name: 'a token is taken for expired by a clock that may be wrong',
    file: 'src/token/schedule.ts',
    search: 'return expiryOf(record) + CLOCK_ERROR;',
    replace: 'return expiryOf(record);',
    caughtBy: unit('token/status', 'token/deletion', 'controller/revoker'),
  },
  {
    name: 'a pod is evicted although it has recovered since it was listed',
    file: 'src/controller/pod-evictor.ts',
    search: 'if (pod && token && curable(pod))',
    replace: 'if (pod && token)',
    caughtBy: unit('controller/pod-evictor'),
  },
  {
    name: 'a pod is evicted for a Secret that was good all the time',
    file: 'src/controller/token-controller.ts',
    search: 'if (isReady(next) && !wasGood)',
    replace: 'if (isReady(next))',
    caughtBy: unit('controller/token-controller'),
  },
  {
    name: 'a token that was accepted is tried again',
    file: 'src/controller/verifier.ts',
    search: "if (before?.action === 'use') return before;",
    replace: '',
    caughtBy: unit('controller/verifier'),
  },
  {
    name: 'an intent whose account or region is gone is looked up there for ever',
    file: 'src/token/decision.ts',
    search: 'stranded: situation.intentIsStranded',
    replace: 'stranded: false',
    caughtBy: unit('token/decision'),
  },
  {
    name: 'an intent is given up where its account is merely not ready',
    file: 'src/token/stranded-intent.ts',
    search: 'return account === undefined || ',
    replace: "return account?.status?.conditions?.[0]?.status !== 'True' || ",
    caughtBy: unit('token/stranded-intent'),
  },
  {
    name: 'a value is asked for that the registry never gives back',
    file: 'src/controller/minter.ts',
    search: 'if (match && registry.capabilities.readBack) {',
    replace: 'if (match) {',
    caughtBy: unit('controller/minter'),
  },
  {
    name: 'a token whose value the registry never gives back stays where it is needed',
    file: 'src/controller/minter.ts',
    search: 'if (!registry.capabilities.readBack) return undefined;',
    replace: '',
    caughtBy: unit('controller/minter'),
  },
  {
    name: 'what this process knows of an intent is forgotten where its place is gone',
    file: 'src/controller/minter.ts',
    search: "if (known) return { result: 'found', issued: known, strays: [] };",
    replace: "if (known && !stranded) return { result: 'found', issued: known, strays: [] };",
    caughtBy: unit('controller/minter'),
  },
  {
    name: 'whose RegistryToken a tag names is not looked at',
    file: 'src/controller/minter.ts',
    search: 'tag?.clusterId === this.#options.clusterId && tag.uid === uid',
    replace: 'tag?.clusterId === this.#options.clusterId',
    caughtBy: seeds(40),
  },
  {
    name: 'which cluster a tag names is not looked at',
    file: 'src/controller/minter.ts',
    search: 'tag?.clusterId === this.#options.clusterId && tag.uid === uid',
    replace: 'tag?.uid === uid',
    caughtBy: seeds(80),
  },
  {
    name: 'another token is read back than the one that is adopted',
    file: 'src/controller/minter.ts',
    search: 'const issued = await registry.read(match.row.id, signal);',
    replace: "const issued = { ...(await registry.read(rows[0]?.row.id ?? '', signal)), id: match.row.id };",
    caughtBy: seeds(300),
  },
  {
    name: 'writes do not mind that the object has changed',
    file: 'src/controller/guarded-patch.ts',
    search: "[{ path: '/metadata/resourceVersion', value: resourceVersion }, ...additions].map(",
    replace: '[...additions].map(',
    caughtBy: seeds(80),
  },
  {
    name: 'the finalizer goes although tokens could not be revoked',
    file: 'src/controller/token-finalizer.ts',
    search: 'if (obstacle && remaining > 0) {',
    replace: 'if (obstacle && remaining > Infinity) {',
    caughtBy: seeds(80),
  },
  {
    name: 'a Secret that somebody else just made is overwritten',
    file: 'src/controller/secret-store.ts',
    search: 'const options = { force: uid !== undefined, signal };',
    replace: 'const options = { force: true, signal };',
    caughtBy: unit('controller/secret-store'),
  },
  {
    name: 'any Secret is taken for ours',
    file: 'src/token/secret-view.ts',
    search: "if (owner === undefined) return { state: 'foreign', message: foreignMessage(secret) };",
    replace: '',
    caughtBy: unit('token/secret-view'),
  },
  {
    name: 'a token value is logged',
    file: 'src/controller/issuer.ts',
    search: "expiresAt: record.expiresAt ?? 'never' },",
    replace: "expiresAt: record.expiresAt ?? 'never', value: issued.value.reveal() },",
    caughtBy: seeds(5),
  },
  {
    name: 'edits that matter to no token create one',
    file: 'src/token/decision.ts',
    search: 'if (token.status?.token?.specHash === wanted.specHash) return undefined;',
    replace: 'if (token.status?.observedGeneration === token.metadata.generation) return undefined;',
    caughtBy: seeds(20),
  },
  {
    name: 'the mint budget is not counted',
    file: 'src/token/mint-budget.ts',
    search: 'return budget === 0 || blocking === undefined ? undefined : blocking + HOUR;',
    replace: 'return undefined;',
    caughtBy: seeds(80),
  },
  {
    name: 'of two RegistryTokens that want one Secret both write it',
    file: 'src/token/brakes.ts',
    search: 'if (olderClaimant === undefined) return undefined;',
    replace: "if (olderClaimant !== '') return undefined;",
    caughtBy: unit('token/brakes', 'token/decision'),
  },
  {
    name: 'failures are not waited out',
    file: 'src/token/brakes.ts',
    search:
      'if (status?.observedGeneration !== metadata.generation || isRetryRequested(token)) return undefined;',
    replace: 'if (status) return undefined;',
    caughtBy: unit('token/brakes', 'token/decision'),
  },
  {
    name: 'a predecessor has no grace',
    file: 'src/token/status.ts',
    search: 'const end = Math.min(now + grace, ',
    replace: 'const end = Math.min(now, ',
    caughtBy: unit('token/status'),
  },
  {
    name: 'a revision that was used is used again',
    file: 'src/token/status.ts',
    search: 'return 1 + Math.max(status.lastRevision ?? 0, ',
    replace: 'return 1 + Math.max(0, ',
    caughtBy: unit('token/status'),
  },
  {
    name: 'on Retain the recorded token stays, not the one that the Secret holds',
    file: 'src/token/deletion.ts',
    search: 'held.length > 0 ? held : ',
    replace: '',
    caughtBy: unit('token/deletion'),
  },
  {
    name: 'the sweep revokes tokens of other clusters',
    file: 'src/token/sweep.ts',
    search: 'if (tag?.clusterId === clusterId && ',
    replace: 'if (tag && ',
    caughtBy: unit('token/sweep'),
  },
  {
    name: 'the sweep revokes tokens that are just being created',
    file: 'src/token/sweep.ts',
    search: 'return tag.revision >= (underWay.get(tag.uid) ?? Infinity);',
    replace: 'return false;',
    caughtBy: unit('token/sweep'),
  },
  {
    name: 'the sweep revokes what it sees unused for the first time',
    file: 'src/token/sweep.ts',
    search: 'return since !== undefined && now - since >= delay;',
    replace: 'return since !== now;',
    caughtBy: unit('token/sweep'),
  },
  {
    name: 'whoever asks for a rotation waits out the backoff of an earlier failure',
    file: 'src/token/brakes.ts',
    search: ' || isRetryRequested(token)',
    replace: '',
    caughtBy: unit('token/brakes'),
  },
  {
    name: 'a rolled back rotation of an account rotates again',
    file: 'src/token/account-rotation.ts',
    search: 'now < before ? handled : asked;',
    replace: 'now < before ? asked : asked;',
    caughtBy: unit('token/account-rotation'),
  },
  {
    name: 'nobody is told what a RegistryToken left behind',
    file: 'src/controller/token-finalizer.ts',
    search: 'if (failure) for (const { account, region } of placesOf(token))',
    replace: 'if (!failure) for (const { account, region } of placesOf(token))',
    caughtBy: unit('controller/token-finalizer'),
  },
  {
    name: 'nobody is told what a RegistryToken left behind when the answer to its going is lost',
    file: 'src/controller/token-finalizer.ts',
    search: '} finally {\n      // The patch',
    replace: '} catch (error) {\n      throw error;\n    }\n    {\n      // The patch',
    caughtBy: unit('controller/token-finalizer'),
  },
  {
    name: 'the sweep believes its watches where a RegistryToken is known to be gone',
    file: 'src/controller/region-sweep.ts',
    search: 'gone.size > 0 || this.#suspects.size > 0',
    replace: 'this.#suspects.size > Infinity',
    caughtBy: unit('controller/sweeper'),
  },
  {
    name: 'a revoked token is found again as what an intent gave',
    file: 'src/controller/memory.ts',
    search: 'if (entry.minted?.tokenId === tokenId) delete entry.minted;',
    replace: '',
    caughtBy: unit('controller/memory'),
  },
  {
    name: 'a registry that hangs is not taken to be down',
    file: 'src/registry/circuit-breaker.ts',
    search: 'silence >= TELLING_SILENCE',
    replace: 'silence >= Infinity',
    caughtBy: unit('registry/circuit-breaker'),
  },
  {
    name: 'a decision made from what a watch saw is carried out without another look',
    file: 'src/controller/token-controller.ts',
    search: 'token = live;\n      assessment = await assessor.assess(token, true, signal);',
    replace: '',
    caughtBy: unit('controller/token-controller'),
  },
  {
    name: 'leadership is not asked for before a revocation',
    file: 'src/registry/ibm-registry-tokens/ibm-registry-tokens.ts',
    search: "draft.operation === 'mint' || draft.operation === 'revoke' ? guard",
    replace: "draft.operation === 'mint' ? guard",
    caughtBy: { files: ['test/simulation/crash-points.test.ts'] },
  },
  {
    name: 'leadership is not asked for before a mint',
    file: 'src/registry/ibm-registry-tokens/ibm-registry-tokens.ts',
    search: "draft.operation === 'mint' || draft.operation === 'revoke' ? guard",
    replace: "draft.operation === 'revoke' ? guard",
    caughtBy: unit('registry/directory'),
  },
  {
    name: 'leadership is asked for when a write is begun, not when it is sent',
    file: 'src/kube/fence.ts',
    search:
      "request: (call) => transport.request(call.method === 'GET' ? call : { ...call, guard: assertLeader }),",
    replace: `async request(call) {
      if (call.method !== 'GET') assertLeader();
      return transport.request(call);
    },`,
    caughtBy: unit('kube/fence'),
  },
];

import type { RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { decide } from '../../token/decide/decision.ts';
import { stakeOf } from '../../token/decide/verification.ts';
import type { Outcome } from '../../token/lifecycle/conditions.ts';
import { withHostFound, withSecretFound } from '../../token/lifecycle/secret-found.ts';
import { withoutFailure } from '../../token/lifecycle/failure.ts';
import { withLostIntent } from '../../token/lifecycle/mint-steps.ts';
import type { Assessed, Assessment } from './assessor.ts';
import type { HostMover } from './host-mover.ts';
import type { Issuer } from './issuer.ts';
import { holdsLive, type Progress } from './progress.ts';
import type { Repairer } from './repairer.ts';

export interface ExecutorOptions {
  issuer: Pick<Issuer, 'issue' | 'settle'>;
  repairer: Pick<Repairer, 'repair'>;
  mover: Pick<HostMover, 'move'>;
}

/** Carries out what was decided about a RegistryToken, and what follows from how that ends. */
export class Executor {
  readonly #options: ExecutorOptions;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /** @param token as stored @throws KubeError */
  execute(token: RegistryToken, assessment: Assessment, signal: AbortSignal): Promise<Progress> {
    return this.#act(token, token.status ?? {}, assessment, signal);
  }

  /** @param status as stored, or as this reconcile has changed it */
  async #act(
    token: RegistryToken,
    status: RegistryTokenStatus,
    assessment: Assessment,
    signal: AbortSignal,
  ): Promise<Progress> {
    if (assessment.refusal) {
      const { refusal } = assessment;
      return { token, status, outcome: { kind: 'refused', refusal }, secretHolds: false };
    }
    const { issuer, repairer, mover } = this.#options;
    const { decision, spec, wanted, secret, situation } = assessment;
    const { tokenIsGone } = situation;
    const task = { token, status, spec, wanted, secret, tokenIsGone, stake: stakeOf(situation) };
    const secretHolds = holdsLive(task, status);
    switch (decision.action) {
      case 'mint':
        return issuer.issue(task, decision, signal);
      case 'settle': {
        const settled = await issuer.settle(task, decision, signal);
        return 'lost' in settled ? this.#startAfresh(assessment, settled.lost, signal) : settled;
      }
      case 'write':
        return this.#unlessGone(await repairer.repair(task, decision, signal), assessment, status, signal);
      case 'move':
        return this.#unlessGone(await mover.move(task, signal), assessment, status, signal);
      case 'hold': {
        const { reason, message, until, awaitsPlace = false } = decision;
        const outcome: Outcome = { kind: 'held', reason, message };
        const next = withHostFound(status, secret, wanted);
        return { token, status: next, outcome, secretHolds, until, awaitsPlace };
      }
      case 'rest': {
        const found = withHostFound(withSecretFound(status, secret, spec), secret, wanted);
        return { token, status: withoutFailure(found), outcome: { kind: 'done' }, secretHolds };
      }
    }
  }

  /** Decides again where it turned out that the registry no longer has the token, or nobody has its value. */
  async #unlessGone(
    progress: Progress | 'token is gone',
    assessed: Assessed,
    status: RegistryTokenStatus,
    signal: AbortSignal,
  ): Promise<Progress> {
    if (progress !== 'token is gone') return progress;
    const situation = { ...assessed.situation, tokenIsGone: true };
    return this.#act(
      situation.token,
      status,
      { ...assessed, situation, decision: decide(situation) },
      signal,
    );
  }

  /**
   * Goes on after a mint that left no token. Its intent stays in the status until another takes its place, or until it is
   * certain that none will.
   */
  #startAfresh(assessed: Assessed, status: RegistryTokenStatus, signal: AbortSignal): Promise<Progress> {
    const { situation } = assessed;
    const settled = withLostIntent(status);
    const decision = decide({ ...situation, token: { ...situation.token, status: settled } });
    const next = decision.action === 'mint' || decision.action === 'hold' ? status : settled;
    return this.#act(situation.token, next, { ...assessed, decision }, signal);
  }
}

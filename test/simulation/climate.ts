import type { Dice } from './dice.ts';

/** How rough one simulation is. Probabilities are for each call. */
export interface Climate {
  /** That the operator dies right before or right after a call with an effect. */
  crash: number;
  /** That it is stopped there for a while. */
  freeze: number;
  /** That the API server, or the way to it, fails a call. */
  apiFailure: number;
  registryFailure: number;
  /** That a watch holds an event back. */
  staleness: number;
  /** Milliseconds by which a clock of the operator can be wrong. */
  skew: number;
  /** Whether users do to Secrets what they should not. */
  meddling: boolean;
  /** Whether admission webhooks stand in the operator's way. */
  webhooks: boolean;
  /** Whether backups are restored into the cluster. */
  restores: boolean;
}

/** Nothing goes wrong. */
export const CALM: Climate = {
  crash: 0,
  freeze: 0,
  apiFailure: 0,
  registryFailure: 0,
  staleness: 0,
  skew: 0,
  meddling: false,
  webhooks: false,
  restores: false,
};

/** One in eight has no failures at all; in the others each kind of trouble is absent, rare or frequent. */
export function drawClimate(dice: Dice): Climate {
  if (dice.chance(1 / 8)) return CALM;
  return {
    crash: dice.pick([0, 0.01, 0.05]),
    freeze: dice.pick([0, 0, 0.01]),
    apiFailure: dice.pick([0, 0.01, 0.08]),
    registryFailure: dice.pick([0, 0.05, 0.2]),
    staleness: dice.pick([0, 0.02, 0.2]),
    skew: dice.pick([0, 0, 3_600_000]),
    meddling: dice.chance(0.5),
    webhooks: dice.chance(0.3),
    restores: dice.chance(0.25),
  };
}

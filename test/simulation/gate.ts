/**
 * What stands between a process and the rest of the world. A frozen process (SIGSTOP) takes nothing in until it is
 * thawed; a dead one (SIGKILL) never again, so whatever it was about to do is not done.
 */
export class Gate {
  #state: 'open' | 'frozen' | 'dead' = 'open';
  #held: (() => void)[] = [];

  get state(): 'open' | 'frozen' | 'dead' {
    return this.#state;
  }

  freeze(): void {
    if (this.#state === 'open') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'open';
    for (const callback of this.#held.splice(0)) callback();
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }

  /** Calls back now, when thawed, or never. */
  pass(callback: () => void): void {
    if (this.#state === 'open') callback();
    else if (this.#state === 'frozen') this.#held.push(() => this.pass(callback));
  }

  /** Resolves as `pass` calls back. */
  async open(): Promise<void> {
    if (this.#state !== 'open') await new Promise<void>((resolve) => this.pass(resolve));
  }
}

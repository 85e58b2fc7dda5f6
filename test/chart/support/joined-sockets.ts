import type { Duplex } from 'node:stream';

/** Passes on what either side of a connection says, until one of them ends. @param open has both of them while they are open */
export function joinSockets(here: Duplex, there: Duplex, open: Set<Duplex>): void {
  for (const [one, other] of [
    [here, there],
    [there, here],
  ] as const) {
    open.add(one);
    one.on('error', () => other.destroy());
    one.on('close', () => {
      open.delete(one);
      other.destroy();
    });
    one.pipe(other);
  }
}

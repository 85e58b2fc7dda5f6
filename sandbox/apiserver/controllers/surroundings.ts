import type { Clock } from '../../../src/common/clock.ts';
import type { Catalog } from '../catalog.ts';
import type { Deleter, DeleteOptions } from '../deleter.ts';
import type { Store } from '../store.ts';
import type { WatchRoom } from '../watch-room.ts';

/** What the controllers work with. */
export interface Surroundings {
  store: Store;
  clock: Clock;
  catalog: Catalog;
  deleter: Deleter;
  watches: WatchRoom;
}

export const IN_BACKGROUND: DeleteOptions = {
  uid: '',
  resourceVersion: '',
  propagation: 'Background',
  dryRun: false,
};
export const IN_FOREGROUND: DeleteOptions = { ...IN_BACKGROUND, propagation: 'Foreground' };
/** As the object's own finalizers say. */
export const AS_IS: DeleteOptions = { ...IN_BACKGROUND, propagation: '' };

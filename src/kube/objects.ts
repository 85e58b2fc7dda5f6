export type * from '../common/objects.ts';

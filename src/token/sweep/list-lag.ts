/**
 * A token that is missing in every list for so long, in milliseconds, is gone: a registry may be behind with what it lists, not
 * for that long. A Secret can hold a dead token meanwhile, so it is no longer than it has to be.
 */
export const MAX_LIST_LAG = 60_000;

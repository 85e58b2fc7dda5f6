import type { ErrorDialect } from '../http/error-dialect.ts';
import { readErrorList } from '../http/problem.ts';

/** The errors of Harbor's API. */
export const HARBOR_DIALECT: ErrorDialect = {
  read: readErrorList,
  advice: {
    Unauthorized: 'check username and password in the credentials Secret of the account',
    Forbidden:
      "check that the projects of spec.scope exist; the account's user has to administer them, or the whole Harbor where there is none or several; a robot needs create, read, list and delete on robots and read on projects there, and may give only what it has itself",
    InvalidRequest: 'check the url of the account, and that the projects of spec.scope exist',
  },
};

/**
 * How long CNCF Distribution accepts a bearer token after its `exp` and before its `nbf`, in seconds: its clock may differ
 * from the signer's. It does not compare the two, so `exp` may be the earlier one.
 */
export const LEEWAY = 60;

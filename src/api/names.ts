/** Every name the operator writes into the cluster. */
export const GROUP = 'pullsecrets.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Field manager of everything the operator applies, and `app.kubernetes.io/managed-by` of its Secrets. */
export const OPERATOR = 'registry-token-operator';

/**
 * Holds a RegistryToken back until its tokens are revoked, or their revocation is left to the sweep; and a ClusterRegistryToken until
 * its RegistryTokens are gone.
 */
export const FINALIZER = `${GROUP}/revoke`;

/** On a RegistryToken: any new value asks for a rotation now. A ClusterRegistryToken passes its own on. */
export const ROTATE_ANNOTATION = `${GROUP}/rotate`;
/**
 * On a RegistryToken of a ClusterRegistryToken, which has the same name: what it has of the template's metadata, and which rotation
 * was passed on, as JSON.
 */
export const TEMPLATE_ANNOTATION = `${GROUP}/template`;

export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/** On a Secret: uid of the RegistryToken it belongs to. */
export const OWNER_UID_LABEL = `${GROUP}/registrytoken-uid`;
/** On a Secret: name of the RegistryToken it belongs to (an annotation, since names outgrow label values). */
export const OWNER_NAME_ANNOTATION = `${GROUP}/registrytoken`;
/** On a Secret: identifier of the token it holds, never its value. */
export const TOKEN_ID_ANNOTATION = `${GROUP}/token-id`;
/** On a Secret: SHA-256 of its payload, so that an edit is noticed without knowing the token. */
export const CHECKSUM_ANNOTATION = `${GROUP}/checksum`;

/** On a ServiceAccount: which Secret each RegistryToken, by uid, has put into its imagePullSecrets, as JSON. */
export const LINKS_ANNOTATION = `${GROUP}/image-pull-secrets`;

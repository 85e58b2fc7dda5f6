/** What Kubernetes takes for names, labels and annotations, as in k8s.io/apimachinery/pkg/util/validation. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Whether a text can be the name of an object such as a Secret. */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && SUBDOMAIN.test(text);
}

/** Whether a text can be the name of a registry's region: a DNS label. */
export function isRegionName(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
}

/** Whether a text can be part of an image's name between the host and the tag, which is what scopes name. */
export function isScopeName(text: string): boolean {
  return text.length <= 255 && /^[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/.test(text);
}

/** Whether a text can be the key of a label: a name, or `prefix/name` with a DNS subdomain as prefix. */
export function isLabelKey(text: string): boolean {
  const [prefixOrName = '', name, ...rest] = text.split('/');
  if (name === undefined) return isName(prefixOrName);
  return rest.length === 0 && isObjectName(prefixOrName) && isName(name);
}

/** The same for an annotation, where upper case does not matter. */
export function isAnnotationKey(text: string): boolean {
  return isLabelKey(text.toLowerCase());
}

export function isLabelValue(text: string): boolean {
  return text === '' || isName(text);
}

function isName(text: string): boolean {
  return text.length <= 63 && NAME.test(text);
}

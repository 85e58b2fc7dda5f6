import type { ObjectMeta } from '../common/objects.ts';
import type {
  ClusterRegistryTokenSpec,
  ClusterRegistryTokenStatus,
} from './generated/clusterregistrytoken.ts';
import { GROUP } from './names.ts';
import { InvalidSpec, readTokenSpec } from './registry-token.ts';
import type { LabelSelector } from './syntax/label-selector.ts';
import { isAnnotationKey, isLabelKey, isLabelValue } from './syntax/metadata.ts';
import { prefix } from './syntax/text.ts';

export interface ClusterRegistryToken {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: ClusterRegistryTokenSpec;
  status?: ClusterRegistryTokenStatus;
}

export type { ClusterRegistryTokenStatus } from './generated/clusterregistrytoken.ts';

/** Characters of the value of an annotation in the template, as in the CRD. */
export const MAX_ANNOTATION = 1_024;
const OWN_PREFIX = `${GROUP}/`;

/**
 * What is wrong with a spec that the API server took: what the CRD's rules can't say, and what they say, since an API server older
 * than 1.25 drops them.
 * @returns undefined when nothing is
 */
export function clusterTokenFault({ metadata, spec }: ClusterRegistryToken): string | undefined {
  const { metadata: marks = {}, spec: template = {} } = spec.template;
  const fault = selectorFault(spec.namespaceSelector) ?? labelsFault(marks.labels) ?? annotationsFault(marks);
  if (fault !== undefined) return fault;
  try {
    readTokenSpec({ apiVersion: '', kind: '', metadata, spec: template });
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidSpec)) throw error;
    return error.message.replace(/^spec\./, 'spec.template.spec.');
  }
}

/** A selector that means less than it seems to would take RegistryTokens away from namespaces. */
function selectorFault({ matchExpressions = [] }: LabelSelector): string | undefined {
  const wrong = matchExpressions.find(({ operator, values = [] }) => {
    const takesValues = operator === 'In' || operator === 'NotIn';
    return takesValues !== values.length > 0;
  });
  return (
    wrong &&
    'spec.namespaceSelector.matchExpressions: operators In and NotIn take values, such as values: [team-a]; Exists and DoesNotExist take none'
  );
}

function labelsFault(labels: Readonly<Record<string, string>> = {}): string | undefined {
  const field = 'spec.template.metadata.labels';
  const wrong = Object.entries(labels).find(([key, value]) => !isLabelKey(key) || !isLabelValue(value));
  if (wrong)
    return `${field} holds ${quote(wrong.join('='))}, which can't be a label; write one such as team=a`;
  return Object.keys(labels).some((key) => key.startsWith(OWN_PREFIX))
    ? `${field}: it takes no label that begins with ${OWN_PREFIX}: the operator sets these itself; leave it out`
    : undefined;
}

function annotationsFault({
  annotations = {},
}: NonNullable<ClusterRegistryTokenSpec['template']['metadata']>): string | undefined {
  const field = 'spec.template.metadata.annotations';
  const wrong = Object.keys(annotations).find((key) => !isAnnotationKey(key));
  if (wrong !== undefined)
    return `${field} holds ${quote(wrong)}, which can't be the key of an annotation; write one such as example.com/team`;
  return Object.keys(annotations).some((key) => key.startsWith(OWN_PREFIX))
    ? `${field}: it takes no annotation that begins with ${OWN_PREFIX}; write ${OWN_PREFIX}rotate on the ClusterRegistryToken itself, which passes it on`
    : undefined;
}

const quote = (text: string): string => JSON.stringify(prefix(text, 64));

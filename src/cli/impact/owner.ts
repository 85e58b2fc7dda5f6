import type { ObjectMeta } from '../../common/objects.ts';

/** What people know a pod by: what made what made it. */
export interface Owner {
  kind: string;
  name: string;
}

/** What the Deployment controller sets on its pods, and puts behind the name of its ReplicaSet. */
const TEMPLATE_HASH = 'pod-template-hash';
/** A CronJob puts the scheduled time behind the name of its Job, in minutes since 1970 (pkg/controller/cronjob/utils.go). */
const SCHEDULED = /^(.+)-\d{8,10}$/;

/**
 * The workload of a pod, by the names that the controllers of Kubernetes give: no other object has to be read for it. A pod without a
 * controller is its own.
 */
export function workloadOf({ name, labels = {}, ownerReferences = [] }: ObjectMeta): Owner {
  const controller = ownerReferences.find((owner) => owner.controller === true);
  if (!controller) return { kind: 'Pod', name };
  const suffix = `-${labels[TEMPLATE_HASH]}`;
  if (controller.kind === 'ReplicaSet' && TEMPLATE_HASH in labels && controller.name.endsWith(suffix))
    return { kind: 'Deployment', name: controller.name.slice(0, -suffix.length) };
  const [, cronJob] = (controller.kind === 'Job' && SCHEDULED.exec(controller.name)) || [];
  if (cronJob !== undefined) return { kind: 'CronJob', name: cronJob };
  return { kind: controller.kind, name: controller.name };
}

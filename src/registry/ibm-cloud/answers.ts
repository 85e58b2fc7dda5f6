import { z } from 'zod';

/** `2026-01-01T12:00+0000`, or any other form that names its offset. */
const TIME = z.string().transform((text, context) => {
  const time = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (Number.isNaN(time)) context.addIssue({ code: 'custom', message: 'is no time' });
  return time;
});
/**
 * `next` is a URL, of which only the token is used: another host must not get the request. A URL without a token is an error: the
 * list would seem to end.
 */
const NEXT_URL = z
  .string()
  .transform((text, context) => {
    const token = URL.parse(text, 'https://iam.cloud.ibm.com')?.searchParams.get('pagetoken') ?? undefined;
    if (token === undefined) context.addIssue({ code: 'custom', message: 'has no pagetoken' });
    return token;
  })
  .optional();

const GROUP = z.object({ id: z.string().min(1), name: z.string() });
const SERVICE_ID = z.object({
  id: z.string().min(1),
  iam_id: z.string().min(1),
  name: z.string(),
  description: z.string().default(''),
  created_at: TIME.optional(),
});
const KEY = z.object({
  id: z.string().min(1),
  iam_id: z.string(),
  description: z.string().default(''),
  expires_at: TIME.optional(),
  disabled: z.boolean().default(false),
});
const ATTRIBUTES = z.object({ attributes: z.array(z.object({ name: z.string(), value: z.string() })) });
const POLICY = z.object({
  id: z.string().min(1),
  state: z.string().default('active'),
  roles: z.array(z.object({ role_id: z.string() })),
  resources: z.array(ATTRIBUTES),
});

export type ServiceId = z.infer<typeof SERVICE_ID>;
export type ApiKeyRow = z.infer<typeof KEY>;
export type Policy = z.infer<typeof POLICY>;

/** A page of a list, and where the next begins. */
export interface Page<T> {
  rows: T[];
  next: string | undefined;
}

/** Each parses an answer. @returns undefined when it has another shape */
export const readGroup = reader(GROUP);
export const readServiceId = reader(SERVICE_ID);
export const readPolicy = reader(POLICY);
export const readKey = reader(KEY);
export const readCreatedKey = reader(KEY.extend({ apikey: z.string().min(1) }));
export const readGroups = reader(
  z.object({ serviceid_groups: z.array(GROUP) }).transform((body) => body.serviceid_groups),
);
export const readServiceIds = reader(
  z
    .object({ serviceids: z.array(SERVICE_ID), next: NEXT_URL })
    .transform(({ serviceids, next }): Page<ServiceId> => ({ rows: serviceids, next })),
);
export const readKeys = reader(
  z
    .object({ apikeys: z.array(KEY), next: NEXT_URL })
    .transform(({ apikeys, next }): Page<ApiKeyRow> => ({ rows: apikeys, next })),
);
export const readPolicies = reader(
  z
    .object({ policies: z.array(POLICY), next: z.object({ start: z.string().min(1) }).optional() })
    .transform(({ policies, next }): Page<Policy> => ({ rows: policies, next: next?.start })),
);

function reader<T extends z.ZodType>(schema: T): (json: unknown) => z.output<T> | undefined {
  return (json) => schema.safeParse(json).data;
}

import { z } from 'zod';
import { Redacted } from '../../common/redacted.ts';
import type { IssuedToken, ListedToken } from '../port.ts';
import type { RegistryError } from '../errors.ts';

/** Seconds since 1970; -1 for a robot that never expires. */
const EXPIRY = z.number().int();
const CREATED = z.object({
  id: z.number().int().positive(),
  /** With the prefix of all robots, which an administrator can change, and with the project. */
  name: z.string().min(1),
  secret: z.string().min(1),
  expires_at: EXPIRY,
});
const ROBOT = z
  .object({
    id: z.number().int().positive(),
    description: z.string().default(''),
    expires_at: EXPIRY.default(-1),
    disable: z.boolean().default(false),
  })
  .transform(({ id, description, expires_at: expiry, disable }): ListedToken => ({
    id: String(id),
    description,
    expiresAt: timeOf(expiry),
    revoked: disable,
  }));
const ROBOTS = z.array(ROBOT);
const PROJECT = z.object({ project_id: z.number().int(), name: z.string() });
const USER = z.object({ username: z.string() });

export interface Project {
  id: number;
  name: string;
}

/** Parses the answer to the creation of a robot; no other answer holds its secret. @returns undefined when it has another shape */
export function readCreated(json: unknown): IssuedToken | undefined {
  const { data } = CREATED.safeParse(json);
  if (!data) return undefined;
  const { id, name, secret, expires_at: expiry } = data;
  return { id: String(id), username: name, value: new Redacted(secret), expiresAt: timeOf(expiry) };
}

/**
 * The meaning of a refusal to create a robot. Harbor answers 409 when the name is taken. Only one revision of one RegistryToken has
 * that name: so an earlier request created the robot, and its secret is lost.
 * @param robot its name, and where, for the message
 */
export function meaningOfRefusal(error: RegistryError, robot: string): RegistryError {
  if (error.code !== 'Conflict') return error;
  return error.reworded(
    'Ambiguous',
    `could not create robot ${robot}: there is one of that name, created by a request whose answer was lost; the operator will delete it and create another`,
  );
}

/** Parses a robot. @returns undefined when it has another shape */
export function readRobot(json: unknown): ListedToken | undefined {
  return ROBOT.safeParse(json).data;
}

/** Parses a page of robots. An empty one can be null, as Go writes it. @returns undefined when it has another shape */
export function readRobots(json: unknown): ListedToken[] | undefined {
  return ROBOTS.safeParse(json === null ? [] : json).data;
}

/** Parses a page of projects. An empty one can be null, as Go writes it. @returns undefined when it has another shape */
export function readProjects(json: unknown): Project[] | undefined {
  const { data } = z.array(PROJECT).safeParse(json ?? []);
  return data?.map(({ project_id: id, name }) => ({ id, name }));
}

/** Parses a project. @returns undefined when it has another shape */
export function readProject(json: unknown): Project | undefined {
  const { data } = PROJECT.safeParse(json);
  return data && { id: data.project_id, name: data.name };
}

/** The name of the current user. */
export function readUser(json: unknown): string | undefined {
  return USER.safeParse(json).data?.username;
}

function timeOf(seconds: number): number | null {
  return seconds === -1 ? null : seconds * 1000;
}

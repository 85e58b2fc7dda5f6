import { expect } from 'chai';
import { Harbor } from '../../../../sandbox/registries/harbor/harbor.ts';
import { registerSecret } from '../../../support/secrecy.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

const PASSWORD = 'Password-of-somebody-1';
registerSecret(PASSWORD);
const CREATE = {
  name: 'a-robot',
  level: 'project',
  duration: 1,
  permissions: [
    { kind: 'project', namespace: 'nowhere', access: [{ resource: 'repository', action: 'pull' }] },
  ],
};

// Harbor issues 17586 and 21800.
describe('the fake Harbor, asked about a project that there is not,', () => {
  const harbor = new Harbor({
    clock: new VirtualClock(0),
    projects: ['team-a'],
    users: [
      { username: 'admin', password: PASSWORD, administrator: true, projects: [] },
      { username: 'member', password: PASSWORD, administrator: false, projects: ['team-a'] },
    ],
  });
  harbor.addRobot({
    name: 'of-all',
    project: undefined,
    description: '',
    level: 'system',
    duration: -1,
    expiresAt: null,
    disabled: false,
    permissions: [
      {
        kind: 'project',
        namespace: '*',
        access: [
          { resource: 'project', action: 'read' },
          { resource: 'robot', action: 'create' },
          { resource: 'robot', action: 'list' },
          { resource: 'repository', action: 'pull' },
        ],
      },
    ],
    secret: PASSWORD,
  });
  const asked: [what: string, method: string, path: string, body: object | undefined][] = [
    ['reads it', 'GET', '/projects/nowhere', undefined],
    ['lists its robots', 'GET', '/robots?q=Level%3Dproject%2CProjectID%3D7', undefined],
    ['creates a robot in it', 'POST', '/robots', CREATE],
  ];
  for (const [username, status] of [
    ['admin', 404],
    ['member', 403],
    ['robot$of-all', 403],
  ] as const)
    for (const [what, method, path, body] of asked)
      it(`answers ${status} to ${username} who ${what}`, async () => {
        const answer = await harbor.handle({
          method,
          path: `/api/v2.0${path}`,
          headers: {
            authorization: `Basic ${Buffer.from(`${username}:${PASSWORD}`).toString('base64')}`,
            'x-is-resource-name': 'true',
          },
          body: body ? JSON.stringify(body) : '',
        });
        expect(answer.status).to.equal(status);
      });
});

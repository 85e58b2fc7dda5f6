import { expect } from 'chai';
import * as fc from 'fast-check';
import { allows, parsePolicy } from '../../../../sandbox/registries/ecr/policy.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { sessionPolicy, type PolicySubject } from '../../../../src/registry/ecr/session-policy.ts';

const SUBJECT: PolicySubject = {
  partition: 'aws',
  region: 'eu-central-1',
  registryId: '123456789012',
  public: false,
};
const arn = (name: string, region = 'eu-central-1', account = '123456789012'): string =>
  `arn:aws:ecr:${region}:${account}:repository/${name}`;
const word = fc.stringMatching(/^[a-z0-9]{2,8}([._-][a-z0-9]{1,5})?$/);
const repository = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('/'));

function statements(policy: string): NonNullable<ReturnType<typeof parsePolicy>> {
  const parsed = parsePolicy(policy);
  if (!parsed) throw new Error('the policy is malformed');
  return parsed;
}
const failureOf = (act: () => unknown): RegistryError => {
  try {
    act();
  } catch (error) {
    return error as RegistryError;
  }
  return expect.fail('it succeeded');
};

describe('the session policy of an ECR token', () => {
  it('allows what is asked for on the repositories of the scope, and nothing on any other', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(repository, { minLength: 1, maxLength: 5 }),
        repository,
        fc.boolean(),
        (scope, other, write) => {
          const policy = statements(sessionPolicy(SUBJECT, write ? 'ReadWrite' : 'ReadOnly', scope));
          for (const name of scope) {
            expect(allows(policy, 'ecr:BatchGetImage', arn(name))).to.equal(true);
            expect(allows(policy, 'ecr:PutImage', arn(name))).to.equal(write);
            expect(allows(policy, 'ecr:DeleteRepository', arn(name))).to.equal(false);
            expect(allows(policy, 'ecr:BatchGetImage', arn(name, 'eu-west-1'))).to.equal(false);
            expect(allows(policy, 'ecr:BatchGetImage', arn(name, 'eu-central-1', '999999999999'))).to.equal(
              false,
            );
          }
          expect(allows(policy, 'ecr:BatchGetImage', arn(other))).to.equal(scope.includes(other));
          expect(allows(policy, 'ecr:GetAuthorizationToken', '*')).to.equal(true);
          expect(allows(policy, 'sts:AssumeRole', '*')).to.equal(false);
        },
      ),
    );
  });

  it('allows all repositories of the registry and the region without a scope, and no other', () => {
    const policy = statements(sessionPolicy(SUBJECT, 'ReadOnly', []));
    expect(allows(policy, 'ecr:BatchGetImage', arn('any/thing'))).to.equal(true);
    expect(allows(policy, 'ecr:PutImage', arn('any/thing'))).to.equal(false);
    expect(allows(policy, 'ecr:BatchGetImage', arn('any/thing', 'eu-west-1'))).to.equal(false);
  });

  it('of public ECR allows to push, and needs nothing to pull', () => {
    const subject = { ...SUBJECT, public: true, region: 'us-east-1' };
    const repositoryArn = 'arn:aws:ecr-public::123456789012:repository/app';
    const write = statements(sessionPolicy(subject, 'ReadWrite', ['app']));
    expect(allows(write, 'ecr-public:PutImage', repositoryArn)).to.equal(true);
    for (const action of ['ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken'])
      expect(allows(write, action, '*')).to.equal(true);
    for (const action of [
      'BatchCheckLayerAvailability',
      'InitiateLayerUpload',
      'UploadLayerPart',
      'CompleteLayerUpload',
    ])
      expect(allows(write, `ecr-public:${action}`, repositoryArn), action).to.equal(true);
    expect(allows(write, 'ecr-public:DeleteRepository', repositoryArn)).to.equal(false);
    expect(allows(write, 'ecr-public:BatchGetImage', repositoryArn)).to.equal(false);
    const read = statements(sessionPolicy(subject, 'ReadOnly', ['app']));
    expect(read).to.have.lengthOf(1);
    expect(allows(read, 'ecr-public:PutImage', repositoryArn)).to.equal(false);
  });

  for (const name of [
    '',
    'a',
    '*',
    'team/*',
    'team-?/app',
    'Team/app',
    '/app',
    'team//app',
    'team/app/',
    '../app',
    'a'.repeat(257),
    'app"]}',
    'app\n',
  ]) {
    it(`takes ${JSON.stringify(name.slice(0, 20))} for no repository`, () => {
      expect(failureOf(() => sessionPolicy(SUBJECT, 'ReadOnly', ['team/app', name])))
        .to.be.instanceOf(RegistryError)
        .with.property('code', 'InvalidRequest');
    });
  }

  it('can have exactly as many characters as AWS takes', () => {
    const names = Array.from({ length: 27 }, (_, n) => `team/app-${n}`);
    const room = 2048 - sessionPolicy(SUBJECT, 'ReadOnly', names).length;
    const [, ...others] = names;
    const longer = (by: number): string[] => [`team/app-0${'x'.repeat(by)}`, ...others];
    expect(sessionPolicy(SUBJECT, 'ReadOnly', longer(room))).to.have.lengthOf(2048);
    expect(failureOf(() => sessionPolicy(SUBJECT, 'ReadOnly', longer(room + 1)))).to.have.property(
      'code',
      'InvalidRequest',
    );
  });

  it('is never longer than AWS takes: more repositories are refused, with what to do', () => {
    const names = Array.from({ length: 100 }, (_, n) => `team/app-${n}`);
    let fitting = 0;
    for (let count = 1; count <= names.length; count++) {
      try {
        expect(sessionPolicy(SUBJECT, 'ReadWrite', names.slice(0, count)).length).to.be.at.most(2048);
        fitting = count;
      } catch (error) {
        expect(error).to.be.instanceOf(RegistryError);
        break;
      }
    }
    expect(fitting).to.be.within(20, 40);
    const error = failureOf(() => sessionPolicy(SUBJECT, 'ReadWrite', names));
    expect(error).to.have.property('code', 'InvalidRequest');
    expect(error.message).to.match(
      /the 100 repositories .* 2048 characters .* split them over several RegistryTokens/,
    );
  });
});

import { expect } from 'chai';
import type { Container, EnvironmentVariable, Pod } from '../../../sandbox/workloads/objects.ts';
import { readOperatorContainer } from '../../../sandbox/workloads/operator-container.ts';

const IMAGE = 'registry-token-operator';

function aPod(...containers: Partial<Container>[]): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'system',
      name: 'operator-1',
      uid: 'pod-uid',
      labels: { 'app.kubernetes.io/name': 'op' },
      resourceVersion: '1',
      creationTimestamp: '',
    },
    spec: {
      serviceAccountName: 'robot',
      containers: containers.map((each) => ({ name: 'c', image: IMAGE, ...each })),
    },
  };
}

const envOf = (variable: EnvironmentVariable): unknown => {
  const read = readOperatorContainer(aPod({ env: [variable] }));
  return 'env' in read ? read.env[variable.name] : read.refusal;
};
const field = (fieldPath: string): unknown => envOf({ name: 'A', valueFrom: { fieldRef: { fieldPath } } });

describe('how the sandbox starts the operator for a pod', () => {
  for (const image of [
    IMAGE,
    `${IMAGE}:0.1.0`,
    `localhost/${IMAGE}`,
    `registry.test:5000/team/${IMAGE}:1@sha256:0`,
    `${IMAGE}@sha256:0`,
  ])
    it(`is with the container's arguments where its image is ${image}`, () => {
      expect(readOperatorContainer(aPod({ image, args: ['--a', '--b=c'] }))).to.deep.equal({
        args: ['--a', '--b=c'],
        env: {},
      });
    });

  for (const image of ['busybox', `${IMAGE}-test`, `my${IMAGE}`, `${IMAGE}/web:1`])
    it(`is not at all where its image is ${image}`, () => {
      const read = readOperatorContainer(aPod({ image }));
      expect(read).to.have.property('refusal').that.includes(image);
    });

  it('is not at all beside another container', () => {
    expect(readOperatorContainer(aPod({}, { image: 'sidecar:1' }))).to.have.property('refusal');
  });

  for (const [name, part] of Object.entries<Partial<Container>>({
    command: { command: ['/bin/sh'] },
    volumeMounts: { volumeMounts: [{ mountPath: '/ca' }] },
    envFrom: { envFrom: [{ configMapRef: { name: 'x' } }] },
    workingDir: { workingDir: '/tmp' },
    '$(NAME)': { args: ['--name=$(A)'] },
  }))
    it(`is not at all, and says so, where that needs the container's ${name}`, () => {
      expect(readOperatorContainer(aPod(part)))
        .to.have.property('refusal')
        .that.includes(name);
    });

  it('is not at all where containers are to run before it', () => {
    const pod = aPod({});
    pod.spec.initContainers = [{ name: 'first', image: IMAGE }];
    expect(readOperatorContainer(pod)).to.have.property('refusal').that.includes('initContainers');
  });

  for (const restartPolicy of ['Never', 'OnFailure'])
    it(`is not at all where it is to end for good, by restartPolicy ${restartPolicy}`, () => {
      const pod = aPod({});
      pod.spec.restartPolicy = restartPolicy;
      expect(readOperatorContainer(pod)).to.have.property('refusal').that.includes(restartPolicy);
    });

  it('is without the token of its ServiceAccount, which API servers mount', () => {
    const volumeMounts = [{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }];
    expect(readOperatorContainer(aPod({ volumeMounts }))).to.have.property('args');
  });

  it('is with its variables, and what they read of the pod', () => {
    expect(envOf({ name: 'A', value: 'b' })).to.equal('b');
    expect(envOf({ name: 'A' })).to.equal('');
    expect(field('metadata.name')).to.equal('operator-1');
    expect(field('metadata.namespace')).to.equal('system');
    expect(field('metadata.uid')).to.equal('pod-uid');
    expect(field("metadata.labels['app.kubernetes.io/name']")).to.equal('op');
    expect(field("metadata.annotations['none']")).to.equal('');
    expect(field('spec.serviceAccountName')).to.equal('robot');
    expect(field('status.podIP')).to.equal('127.0.0.1');
  });

  it('is not at all, and says so, where a variable is read from elsewhere', () => {
    expect(envOf({ name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } })).to.include('KEY');
    expect(field('spec.nodeName')).to.include('variable A');
    expect(field('constructor')).to.include('variable A');
  });
});

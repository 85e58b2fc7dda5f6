import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { complaints } from './support/kubernetes-schema.ts';
import {
  CHART,
  describeHelm,
  find,
  NAMESPACE,
  RELEASE,
  withImage,
  type Rendered,
  type Values,
} from './support/helm.ts';
import { VALUE_SETS } from './support/value-sets.ts';

interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  spec: {
    topologySpreadConstraints: { labelSelector: object }[];
    securityContext: Record<string, unknown>;
    terminationGracePeriodSeconds: number;
    imagePullSecrets?: object[];
    containers: [
      { args: string[]; securityContext: Record<string, unknown>; image: string; livenessProbe: object },
    ];
  };
}

const podOf = (objects: readonly Rendered[]): PodTemplate =>
  (find(objects, 'Deployment')['spec'] as { template: PodTemplate }).template;

describeHelm('chart: rendering', (helm) => {
  it('passes the strictest lint', async () => {
    const { status, stdout } = await helm.run(['lint', '--strict', CHART]);
    expect(status, stdout).to.equal(0);
  });

  for (const [name, values] of Object.entries(VALUE_SETS)) {
    it(`makes objects that Kubernetes takes as they are: ${name}`, async () => {
      const objects = await helm.render(values);
      const found = await Promise.all(objects.map(complaints));
      expect(found.flat()).to.deep.equal([]);
    });
  }

  it('makes no object twice', async () => {
    for (const values of Object.values(VALUE_SETS)) {
      const ids = (await helm.render(values)).map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`,
      );
      expect(ids).to.deep.equal([...new Set(ids)]);
    }
  });

  it('names and labels every object as the release asks', async () => {
    const objects = await helm.render(VALUE_SETS['names and labels']);
    for (const { kind, metadata } of objects) {
      if (kind !== 'Pod') {
        expect(metadata.labels, kind).to.include({ team: 'platform' });
        expect(metadata.annotations, kind).to.include({ 'example.com/owner': 'platform' });
      }
      expect(metadata.name, kind).to.match(/^tokens/);
    }
  });

  it('keeps names, namespaces and labels text, whatever they look like', async () => {
    const values = VALUE_SETS['names that YAML could take for something else'];
    const objects = await helm.render(values, '--namespace', '123');
    for (const { kind, metadata } of objects) {
      const { name, namespace = '', labels = {} } = metadata;
      for (const text of [name, namespace, ...Object.values(labels)]) expect(text, kind).to.be.a('string');
    }
    const namespaces = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    expect([...namespaces].sort()).to.deep.equal(['123', '1e5', 'default']);
  });

  it('leads from each alert to its section of the runbook, if it knows where that is', async () => {
    interface Alert {
      alert?: string;
      annotations?: { runbook_url?: string };
    }
    const alerts = async (runbookUrl: string): Promise<Alert[]> => {
      const objects = await helm.render({ metrics: { prometheusRule: { enabled: true, runbookUrl } } });
      const { groups } = find(objects, 'PrometheusRule')['spec'] as { groups: { rules: Alert[] }[] };
      return groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined);
    };
    for (const { alert = '', annotations } of await alerts('https://docs.test/runbook')) {
      expect(annotations?.runbook_url).to.equal(`https://docs.test/runbook#${alert.toLowerCase()}`);
    }
    for (const { alert, annotations } of await alerts('')) {
      expect(annotations, alert).to.have.all.keys('summary', 'description');
    }
  });

  it('is the same when it is packaged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'package-'));
    try {
      await helm.run(['package', CHART, '--destination', folder]);
      const [name = ''] = await readdir(folder);
      const command = ['template', RELEASE, join(folder, name), '--namespace', NAMESPACE, '--values', '-'];
      const fromPackage = await helm.run(command, JSON.stringify(withImage({})));
      expect(fromPackage.stdout).to.equal((await helm.template({})).stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('renders the same each time', async () => {
    const values = VALUE_SETS['accounts and tokens'] as Values;
    expect(await helm.render(values)).to.deep.equal(await helm.render(values));
  });
});

describeHelm(
  'chart: pod',
  (helm) => {
    it('meets the restricted Pod Security Standard, whatever the values', async () => {
      for (const [name, values] of Object.entries(VALUE_SETS)) {
        const { spec } = podOf(await helm.render(values));
        expect(spec.securityContext, name).to.deep.include({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        const { capabilities, ...rest } = spec.containers[0].securityContext;
        expect(rest, name).to.deep.equal({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
        expect((capabilities as { drop: string[] }).drop, name).to.include('ALL');
      }
    });

    it('is not chosen by anything that means another pod', async () => {
      const objects = await helm.render();
      const { labels } = podOf(objects).metadata;
      const test = find(objects, 'Pod').metadata.labels;
      for (const kind of ['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy']) {
        const { selector, podSelector } = find(objects, kind)['spec'] as Record<string, unknown>;
        const chosen = (selector ?? podSelector) as { matchLabels?: object };
        const wanted = chosen.matchLabels ?? chosen;
        expect(labels, kind).to.include(wanted);
        expect(test, kind).not.to.include(wanted);
      }
    });

    it('is spread among its own kind, unless told among which', async () => {
      const own = {
        matchLabels: {
          'app.kubernetes.io/name': 'registry-token-operator',
          'app.kubernetes.io/instance': RELEASE,
        },
      };
      const constraint = { maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' };
      const labelSelector = { matchExpressions: [{ key: 'tier', operator: 'Exists' }] };
      const selectors = async (values: Values) =>
        podOf(await helm.render(values)).spec.topologySpreadConstraints.map((each) => each.labelSelector);
      expect(await selectors({})).to.deep.equal([own, own]);
      const given = { topologySpreadConstraints: [constraint, { ...constraint, labelSelector }] };
      expect(await selectors(given)).to.deep.equal([own, labelSelector]);
    });

    it('makes way for its successor where both need the same ports of a node', async () => {
      const strategy = async (values: Values) =>
        (find(await helm.render(values), 'Deployment')['spec'] as { strategy?: object }).strategy;
      expect(await strategy({})).to.equal(undefined);
      expect(await strategy({ hostNetwork: true })).to.deep.equal({
        rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
      });
      const Recreate = { type: 'Recreate' };
      expect(await strategy({ hostNetwork: true, strategy: Recreate })).to.deep.equal(Recreate);
    });

    it('keeps to its own probes, and takes their times', async () => {
      const { containers } = podOf(await helm.render({ livenessProbe: { periodSeconds: 7 } })).spec;
      expect(containers[0].livenessProbe).to.deep.equal({
        httpGet: { path: '/livez', port: 'health' },
        periodSeconds: 7,
        timeoutSeconds: 5,
      });
    });

    it('never blocks a drain', async () => {
      const budget = async (version: string): Promise<Rendered> =>
        find(await helm.render({}, '--kube-version', version), 'PodDisruptionBudget');
      expect((await budget('1.36.0'))['spec']).to.include({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      });
      expect((await budget('1.25.0'))['spec']).not.to.have.property('unhealthyPodEvictionPolicy');
    });

    it('leaves as many replicas as are asked for, where a drain can still go on', async () => {
      const values = (minAvailable: number): Values => ({ podDisruptionBudget: { minAvailable } });
      const { spec } = find(await helm.render({ replicaCount: 3, ...values(2) }), 'PodDisruptionBudget') as {
        spec?: object;
      };
      expect(spec).to.include({ minAvailable: 2 }).and.not.to.have.property('maxUnavailable');
    });

    it('has a PodDisruptionBudget that each Kubernetes from the oldest on knows', async () => {
      for (const [version, apiVersion] of [
        ['1.20.0', 'policy/v1beta1'],
        ['1.21.0', 'policy/v1'],
      ] as const)
        expect(find(await helm.render({}, '--kube-version', version), 'PodDisruptionBudget')).to.include({
          apiVersion,
        });
    });

    it('may reach the API server where it listens', async () => {
      const ports = async (networkPolicy: Values): Promise<number[]> => {
        const { egress } = find(await helm.render({ networkPolicy }), 'NetworkPolicy')['spec'] as {
          egress: [unknown, { ports: { port: number }[] }];
        };
        return egress[1].ports.map(({ port }) => port);
      };
      // Where no cluster is asked.
      expect(await ports({})).to.deep.equal([443, 6443]);
      expect(await ports({ apiServerPorts: [2040] })).to.deep.equal([443, 2040]);
      expect(await ports({ egressPorts: [443, 80], apiServerPorts: [443] })).to.deep.equal([443, 80]);
    });

    it('pulls its image with the secrets and from the registry of all charts', async () => {
      const objects = await helm.render(VALUE_SETS['registry and pull secrets of all charts']);
      const specs = [podOf(objects).spec, find(objects, 'Pod')['spec'] as PodTemplate['spec']];
      for (const { imagePullSecrets, containers } of specs) {
        expect(imagePullSecrets).to.deep.equal([{ name: 'mirror' }, { name: 'everywhere' }]);
        expect(containers[0].image).to.match(/^mirror\.test:5000\/example\/operator:/);
      }
    });

    it('has the annotations asked for, beside the container that logs are of', async () => {
      const name = 'kubectl.kubernetes.io/default-container';
      const { annotations } = podOf(
        await helm.render({ podAnnotations: { [name]: 'other', a: 'b' } }),
      ).metadata;
      expect(annotations).to.deep.equal({ [name]: 'operator', a: 'b' });
    });

    it('may ask the DNS pods where they listen', async () => {
      const [dns] = (
        find(await helm.render({ networkPolicy: { dnsPorts: [53, 5353] } }), 'NetworkPolicy')['spec'] as {
          egress: [{ ports: object[] }];
        }
      ).egress;
      expect(dns.ports).to.deep.equal(
        [53, 5353].flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port }))),
      );
    });

    it('gets longer to stop than the operator takes', async () => {
      for (const [shutdownTimeout, grace] of [
        ['45s', 60],
        ['1m30s', 105],
        ['0s', 15],
      ] as const) {
        const { spec } = podOf(await helm.render({ operator: { shutdownTimeout } }));
        expect(spec.containers[0].args).to.include(`--shutdown-timeout=${shutdownTimeout}`);
        expect(spec.terminationGracePeriodSeconds).to.equal(grace);
      }
      const { spec } = podOf(await helm.render({ terminationGracePeriodSeconds: 90 }));
      expect(spec.terminationGracePeriodSeconds).to.equal(90);
    });

    it('runs the image asked for', async () => {
      const cases: [Values, RegExp][] = [
        [{}, /^registry\.test\/registry-token-operator:\d+\.\d+\.\d+$/],
        [{ image: { repository: 'a.test/b', tag: 'v1' } }, /^a\.test\/b:v1$/],
        [
          VALUE_SETS['image by digest from a private registry'] as Values,
          /^registry\.test:5000\/tools\/operator@sha256:/,
        ],
      ];
      for (const [values, image] of cases) {
        expect(podOf(await helm.render(values)).spec.containers[0].image).to.match(image);
      }
    });

    it('gives the operator only flags that it knows', async () => {
      const { parseConfig } = await import('../../src/config/config.ts');
      const surroundings = { version: 'test', serviceAccountNamespace: () => undefined };
      for (const [name, values] of Object.entries(VALUE_SETS)) {
        const { args } = podOf(await helm.render({ operator: { clusterId: 'c1' }, ...values })).spec
          .containers[0];
        const parsed = parseConfig(args, {}, surroundings);
        expect(parsed, name).to.have.property('config');
        if ('config' in parsed) expect(parsed.config.operatorNamespace).to.equal(NAMESPACE);
      }
    });

    it('starts with the defaults the operator itself has', async () => {
      const { parseConfig } = await import('../../src/config/config.ts');
      const surroundings = { version: 'test', serviceAccountNamespace: () => NAMESPACE };
      const { args } = podOf(await helm.render()).spec.containers[0];
      expect(parseConfig(args, {}, surroundings)).to.deep.equal(parseConfig([], {}, surroundings));
    });
  },
  [4],
);

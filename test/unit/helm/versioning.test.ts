import { describe, expect, test } from '@jest/globals';
import { podTemplates } from './pod-templates.ts';
import { ciFiles, named, renderChart, rendered } from './render-chart.ts';

const objects = rendered(ciFiles.find(({ name }) => name === 'versioning')?.file ?? '');
const workers = podTemplates(objects)
  .filter(({ owner }) => owner.startsWith('Deployment'))
  .map(({ owner, labels, pod }) => {
    const [worker] = pod.containers;
    const env = Object.fromEntries((worker?.env ?? []).map(({ name, value }) => [name, value]));
    const { PRISTINE_BUILD_ID: build, PRISTINE_DEPLOYMENT_NAME: deployment } = env;
    return { owner, image: worker?.image, build, deployment, label: labels['pristine.dev/build'] };
  });

test('each version has workers of every role, with its own image, in one deployment', () => {
  const of = (version: string, role: string) => ({
    owner: `Deployment r-pristine-${role}-${version.replaceAll('.', '-')}`,
    image: `pristine/worker:${version}`,
    build: version,
    deployment: 'r-pristine',
    label: version,
  });
  const all = ['0.2.0', '0.1.0'].flatMap((version) =>
    ['orchestrate', 'files', 'pods'].map((role) => of(version, role)),
  );
  expect(workers).toHaveLength(6);
  expect(workers).toEqual(expect.arrayContaining(all));
});

test('no Deployment takes the pods of another', () => {
  const selectors = objects
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ spec }) => JSON.stringify((spec as { selector: object }).selector));
  expect(new Set(selectors).size).toBe(6);
});

test('the autoscaler is for the current version', () => {
  expect(named(objects, 'HorizontalPodAutoscaler', '-files').spec).toMatchObject({
    scaleTargetRef: { name: 'r-pristine-files-0-2-0' },
  });
});

describe('a version without a name', () => {
  const versions = (image: object, previous: object[] = []) =>
    podTemplates(
      rendered({ temporal: { address: 't:1' }, image, workers: { versioning: { enabled: true, previous } } }),
    )
      .filter(({ owner }) => owner.startsWith('Deployment r-pristine-pods-'))
      .map(({ owner, labels }) => [
        owner.replace('Deployment r-pristine-pods-', ''),
        labels['pristine.dev/build'],
      ]);
  const digest = (digit: string) => ({ digest: `sha256:${digit.repeat(64)}` });

  test('has that of its image: another digest is another version', () => {
    expect(versions(digest('a'), [{ image: digest('b') }])).toEqual([
      ['a'.repeat(12), 'a'.repeat(12)],
      ['b'.repeat(12), 'b'.repeat(12)],
    ]);
    expect(versions({ ...digest('a'), tag: '1.0' })).toEqual([['1-0', '1.0']]);
  });

  test('and a Deployment of its own, also where a name takes not all of the tag', () => {
    const long = 'release-2026-11-27-build-';
    const made = versions({ tag: `${long}1` }, [
      { image: { tag: `${long}2` } },
      { image: { tag: 'A_b' } },
      { image: { tag: 'a-b' } },
    ]);
    const names = made.map(([name]) => name);
    expect(new Set(names).size).toBe(4);
    expect(names[0]).toMatch(/^release-2026-[0-9a-f]{6}$/);
    expect(names[2]).toMatch(/^a-b-[0-9a-f]{6}$/);
    expect(names[3]).toBe('a-b');
  });
});

describe('the Job that makes a version current', () => {
  const versioned = (more: object = {}, versioning: object = {}) => ({
    temporal: { address: 't:1' },
    image: { tag: '0.2.0' },
    workers: {
      versioning: { enabled: true, makeCurrent: { enabled: true, waitSeconds: 60 }, ...versioning },
      ...more,
    },
  });
  const jobs = (values: string | object) =>
    rendered(values).filter(({ kind, metadata }) => kind === 'Job' && /-make-current$/.test(metadata.name));

  test('is there only if it is asked for', () => {
    expect(jobs({ temporal: { address: 't:1' }, workers: { versioning: { enabled: true } } })).toEqual([]);
    expect(jobs(versioned())).toHaveLength(1);
  });

  test('runs after install, upgrade and rollback, and says why where it fails', () => {
    expect(jobs(versioned())[0]?.metadata.annotations).toEqual({
      'helm.sh/hook': 'post-install,post-upgrade,post-rollback',
      'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
      'helm.sh/hook-output-log-policy': 'hook-failed',
    });
  });

  test('is for the version of the release, not for those that stay, as its workers name themselves', () => {
    const previous = [{ image: { tag: '0.1.0' } }];
    const templates = podTemplates(rendered(versioned({}, { previous })));
    const envOf = (ending: string) =>
      Object.fromEntries(
        templates
          .find(({ owner }) => owner.endsWith(ending))
          ?.pod.containers[0]?.env.map(({ name, value }) => [name, value]) ?? [],
      );
    const job = envOf('-make-current');
    const worker = envOf('-orchestrate-0-2-0');
    expect(job.PRISTINE_BUILD_ID).toBe('0.2.0');
    for (const name of Object.keys(job)) expect([name, job[name]]).toEqual([name, worker[name]]);
  });

  test('is over before Helm’s own time, five minutes, is', () => {
    const workers = { versioning: { enabled: true, makeCurrent: { enabled: true } } };
    const [job] = jobs({ temporal: { address: 't:1' }, workers });
    const [, seconds] = JSON.stringify(job?.spec).match(/"--wait","(\d+)"/) ?? [];
    expect(Number(seconds)).toBeLessThanOrEqual(240);
  });

  test('has time to say that its time is over', () => {
    const { spec } = named(rendered(versioned()), 'Job', '-make-current');
    expect(JSON.stringify(spec)).toContain('"make-current","--wait","60"');
    expect((spec as { activeDeadlineSeconds: number }).activeDeadlineSeconds).toBeGreaterThan(60);
  });

  test('reaches Temporal', () => {
    const { spec } = named(rendered(versioned()), 'NetworkPolicy', '-temporal');
    expect(JSON.stringify(spec)).toContain('"make-current"');
  });

  test.each<[string, object]>([
    ['workers.versioning.makeCurrent.enabled: is of use only', versioned({}, { enabled: false })],
    ['workers.files.replicas: at least 1', versioned({ files: { replicas: 0 } })],
    [
      'workers.pods.autoscaling.minReplicas: at least 1',
      versioned({ pods: { autoscaling: { minReplicas: 0, keda: { enabled: true } } } }),
    ],
    ["at '/workers/versioning/makeCurrent/waitSeconds'", versioned({}, { makeCurrent: { waitSeconds: 0 } })],
    ["at '/workers/versioning/makeCurrent'", versioned({}, { makeCurrent: true })],
    ["at '/workers/versioning/makeCurrent/enabled'", versioned({}, { makeCurrent: { enabled: 'yes' } })],
  ])('%s', (path, values) => {
    expect(renderChart(values)).toMatchObject({ objects: [], problem: expect.stringContaining(path) });
  });
});

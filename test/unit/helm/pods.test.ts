import { describe, expect, test } from '@jest/globals';
import { allContainers, podTemplates } from './pod-templates.ts';
import { ciFiles, named, rendered } from './render-chart.ts';

/** Volumes that Pod Security "restricted" admits. */
const VOLUMES = [
  ...[
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ],
];

describe.each(ciFiles)('$name', ({ name, file }) => {
  const objects = rendered(file);
  const templates = podTemplates(objects);

  test('every pod passes Pod Security "restricted", reads only its root, and has bounds', () => {
    expect(templates.length).toBeGreaterThan(2);
    for (const { owner, pod, claims } of templates) {
      expect([owner, pod.securityContext]).toEqual([
        owner,
        expect.objectContaining({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }),
      ]);
      for (const container of allContainers(pod)) {
        expect([owner, container.name, container.securityContext]).toEqual([
          owner,
          container.name,
          {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
        ]);
        expect(Object.keys(container.resources.requests).sort()).toEqual(['cpu', 'memory']);
        expect(Object.keys(container.resources.limits)).toContain('memory');
      }
      const kinds = pod.volumes.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
      // NFS is what the operator asked for there.
      const foreign = kinds.filter(
        (kind) => !VOLUMES.includes(kind) && !(name === 'folders' && kind === 'nfs'),
      );
      expect([owner, foreign]).toEqual([owner, []]);
      const mounts = allContainers(pod).flatMap(({ volumeMounts }) =>
        volumeMounts.map((mount) => mount.name),
      );
      const volumes = [...pod.volumes.map((volume) => volume.name), ...claims];
      expect([owner, [...new Set(mounts)].sort()]).toEqual([owner, volumes.sort()]);
    }
  });

  test('only workers that ask the cluster for something have a token', () => {
    const tokens = templates
      .filter(({ pod }) => pod.automountServiceAccountToken !== false)
      .map(({ labels }) => labels['app.kubernetes.io/component'])
      .filter((component) => component !== 'doctor');
    expect([...new Set(tokens)]).toEqual(name === 'links' ? [] : ['files', 'pods']);
  });

  test('Secrets and ConfigMaps that pods name are in the release, or are named by the values', () => {
    const made = objects.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name);
    const asked = templates.flatMap(({ pod }) =>
      allContainers(pod).flatMap(({ env }) =>
        env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
      ),
    );
    // Those that the chart makes begin with the release's name; the others are the operator's.
    const ours = asked.filter((secret) => secret.startsWith('r-pristine'));
    expect([...new Set(ours)].sort()).toEqual(made.sort());
  });
});

test('a worker has longer to stop than it needs to drain twice: its activities, then its transfers', () => {
  const objects = rendered({ temporal: { address: 't:1' }, workers: { shutdownGraceSeconds: 300 } });
  for (const { labels, pod } of podTemplates(objects)) {
    if (!['orchestrate', 'files', 'pods'].includes(labels['app.kubernetes.io/component'] ?? '')) continue;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(600);
  }
});

test('a changed profile starts the workers anew, a new version of the chart alone does not', () => {
  const templates = (image: string) =>
    podTemplates(rendered({ temporal: { address: 't:1' }, profiles: { default: { image } } })).map((one) =>
      JSON.stringify(one),
    );
  const [before, after] = [templates('a:1'), templates('a:2')];
  expect(before.filter((one) => after.includes(one))).toHaveLength(before.length - 3);
  for (const one of before) expect(one).not.toMatch(/helm.sh\/chart|kubernetes.io\/version/);
});

test('without folders there is no file server and no link key, with them both', () => {
  const kinds = (file: string) =>
    rendered(file).filter(
      ({ metadata }) => /link-keys|-files$/.test(metadata.name) && metadata.name !== 'ns-files',
    );
  const byName = (name: string) => kinds(ciFiles.find((one) => one.name === name)?.file ?? '');
  expect(byName('minimal').map(({ kind }) => kind)).not.toContain('Service');
  expect(byName('minimal').map(({ kind }) => kind)).not.toContain('Secret');
  expect(byName('folders').map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Service', 'Secret']));
});

test('the volume of Redis goes with the release unless it is to stay', () => {
  const policy = (whenDeleted?: string) =>
    named(
      rendered({
        temporal: { address: 't:1' },
        ...(whenDeleted && { redis: { persistence: { whenDeleted } } }),
      }),
      'StatefulSet',
      '-redis',
    ).spec;
  expect(policy()).toMatchObject({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } });
  expect(policy('Retain')).toMatchObject({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' } });
});

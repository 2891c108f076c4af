import type https from 'node:https';
import { isIP } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { faultProxy } from '../../cluster/own-servers/fault-proxy.ts';
import { httpFaultProxy } from '../faults/http-fault-proxy.ts';

/** A TCP proxy in front of the API server, whose weather a test makes, and the way through it. */
export async function apiProxy(kubeConfig: KubeConfig) {
  const cluster = kubeConfig.getCurrentCluster();
  const user = kubeConfig.getCurrentUser();
  if (!cluster || !user) throw new Error('no cluster');
  const target = new URL(cluster.server);
  const proxy = await faultProxy({ host: target.hostname, port: Number(target.port || 443) });

  const through = new KubeConfig();
  // The certificate is for the server's own name; an address is no server name (RFC 6066).
  const tlsServerName = cluster.tlsServerName ?? (isIP(target.hostname) ? undefined : target.hostname);
  through.loadFromClusterAndUser(
    { ...cluster, server: `https://${proxy.host}:${proxy.port}`, ...(tlsServerName && { tlsServerName }) },
    user,
  );
  return { kubeConfig: through, proxy };
}

/**
 * An HTTP proxy in front of the API server, with the rights of `kubeConfig`'s user for whoever comes through.
 * `file` is the text of a kubeconfig for a process of its own.
 */
export async function apiHttpProxy(kubeConfig: KubeConfig) {
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error('no cluster');
  const tls: https.RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(tls);
  const { ca, cert, key } = tls;
  const proxy = await httpFaultProxy(cluster.server, { tls: { ca, cert, key } });
  const through = new KubeConfig();
  through.loadFromClusterAndUser(
    { name: 'proxy', server: proxy.url, skipTLSVerify: true },
    { name: 'proxied' },
  );
  return { kubeConfig: through, file: through.exportConfig(), proxy };
}

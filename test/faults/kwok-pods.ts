/** Thousands of file pods on one machine: kwok's nodes, and players that do what the pods' containers would. */
import type { KubeConfig } from '@kubernetes/client-node';
import { type KwokOptions, startKwok } from './kwok.ts';
import { type PodPlayer, type PodPlayerOptions, startPodPlayer } from './pod-player.ts';

export type KwokPods = {
  /** For the environment of the workers whose pods come here. */
  env: Record<string, string>;
  /** Plays the pods of the workers of this instance until it, or all of this, is closed. */
  play(instance: string, options?: Pick<PodPlayerOptions, 'engineMs' | 'patient'>): PodPlayer;
  close(): Promise<void>;
};

/** `kubeConfig` is an administrator's. */
export async function startKwokPods(kubeConfig: KubeConfig, options: KwokOptions = {}): Promise<KwokPods> {
  const kwok = await startKwok(options);
  const players: PodPlayer[] = [];
  return {
    env: kwok.env,
    play(instance, how = {}) {
      const player = startPodPlayer({ kubeConfig, instance, ...how });
      players.push(player);
      return player;
    },
    async close() {
      await Promise.all(players.map((player) => player.close()));
      await kwok.close();
    },
  };
}

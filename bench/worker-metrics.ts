/** What a worker's `/metrics` say of its cost so far. */
export type WorkerMetrics = {
  /** Of processor time, since it started. */
  cpuSeconds: number;
  residentBytes: number;
  /** Requests to Temporal that ask for work and wait for it, and all others that the SDK counts; since it started. */
  polls: number;
  calls: number;
};

/** Throws when one of them is not there: what was not counted is no small number. */
export function workerMetrics(text: string): WorkerMetrics {
  const samples = [...text.matchAll(/^(?<name>[a-z_:][\w:]*)(?:\{.*\})? (?<value>\S+)$/gim)].map(
    ({ groups = {} }) => ({ name: groups.name, value: Number(groups.value) }),
  );
  const sum = (name: string) => {
    const found = samples.filter((sample) => sample.name === name);
    if (found.length === 0) throw new Error(`A worker's /metrics have no ${name}.`);
    return found.reduce((total, { value }) => total + value, 0);
  };
  return {
    cpuSeconds: sum('process_cpu_seconds_total'),
    residentBytes: sum('process_resident_memory_bytes'),
    polls: sum('temporal_long_request_total'),
    calls: sum('temporal_request_total'),
  };
}

/** Between two readings of the same workers, in their order, all together; of memory, what they have at the end. */
export function usedBetween(
  before: readonly WorkerMetrics[],
  after: readonly WorkerMetrics[],
): WorkerMetrics {
  const grown = (of: 'cpuSeconds' | 'polls' | 'calls') =>
    after.reduce((total, now, worker) => {
      const more = now[of] - (before[worker]?.[of] ?? Number.NaN);
      if (!(more >= 0)) throw new Error('A worker has started again while it was measured.');
      return total + more;
    }, 0);
  return {
    cpuSeconds: grown('cpuSeconds'),
    residentBytes: after.reduce((total, { residentBytes }) => total + residentBytes, 0),
    polls: grown('polls'),
    calls: grown('calls'),
  };
}

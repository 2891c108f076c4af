/** Shows what is going on: a live line at a terminal, a plain line every few seconds anywhere else. */
export type Progress = {
  /** A line that stays. */
  readonly line: (text: string) => void;
  /** Starts a task that takes a while; what it last said is shown until `done` or `failed`. */
  readonly task: (name: string) => Task;
  /** Ends the display. */
  readonly end: () => void;
};

export type Task = {
  readonly update: (state: string) => void;
  readonly done: (state?: string) => void;
  readonly failed: () => void;
};

type Running = { readonly name: string; readonly since: number; state: string };

/** `12 s`, `3 min 05 s` for a number of milliseconds. */
export function formatElapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** The state of a compilation: how many of its packages, what part of all, which one. */
export function formatCompiled(done: number, total: number, name: string): string {
  const percent = total === 0 ? 0 : Math.min(100, Math.floor((100 * done) / total));
  return `${String(percent).padStart(3)} %, package ${done} of ${total}${name === '' ? '' : `, ${name}`}`;
}

/** Cuts a text to a width, so that a live line never wraps. */
export function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Progress on a stream. `plainEveryMs` is the time between two lines about one task where there is no terminal. */
export function createProgress(out: NodeJS.WriteStream, plainEveryMs = 10_000): Progress {
  const running = new Set<Running>();
  const live = out.isTTY === true;
  const clear = (): void => {
    if (live) out.write('\r\x1b[2K');
  };
  const sentence = (task: Running): string =>
    `${task.name}: ${task.state === '' ? 'started' : task.state} (${formatElapsed(Date.now() - task.since)})`;
  const draw = (): void => {
    if (!live || running.size === 0) return;
    clear();
    out.write(truncate([...running].map(sentence).join('  |  '), (out.columns ?? 80) - 1));
  };
  const line = (text: string): void => {
    clear();
    out.write(`${text}\n`);
    draw();
  };
  const timer = setInterval(
    () => {
      if (live) draw();
      else for (const task of running) out.write(`${sentence(task)}\n`);
    },
    live ? 200 : plainEveryMs,
  );
  timer.unref();
  return {
    line,
    task: (name) => {
      const task: Running = { name, since: Date.now(), state: '' };
      running.add(task);
      return {
        update: (state) => {
          task.state = state;
        },
        done: (state = 'done') => {
          running.delete(task);
          line(`${name}: ${state} (${formatElapsed(Date.now() - task.since)})`);
        },
        failed: () => {
          running.delete(task);
          clear();
        },
      };
    },
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}

/** Batches that run at the same time, so that a page waits for etcd a few times, not for each item. */
const AT_ONCE = 8;

/** Runs `ask` on `size` items at a time, some at once. One answer per batch, in order. */
export async function inBatches<Item, Answer>(
  items: readonly Item[],
  size: number,
  ask: (batch: readonly Item[]) => Promise<Answer>,
): Promise<Answer[]> {
  const batches = Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
  const answers: Answer[] = [];
  for (let i = 0; i < batches.length; i += AT_ONCE) {
    answers.push(...(await Promise.all(batches.slice(i, i + AT_ONCE).map(ask))));
  }
  return answers;
}

/** Looks that are under way at a time: they share their wake-ups, and others don't wait long behind them. */
const TOGETHER = 64;

/** What `look` finds of each, in order. Rejects with the first failure, once nothing is under way any more. */
export async function lookTogether<T, Found>(
  each: readonly T[],
  look: (one: T) => Promise<Found>,
): Promise<Found[]> {
  const found: Found[] = [];
  for (let at = 0; at < each.length; at += TOGETHER) {
    const ended = await Promise.allSettled(each.slice(at, at + TOGETHER).map(look));
    for (const end of ended) {
      if (end.status === 'rejected') throw end.reason;
      found.push(end.value);
    }
  }
  return found;
}

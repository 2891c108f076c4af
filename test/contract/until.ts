/** Polls, patiently since the machine may be busy; gives up loudly, so that a failing test leaves no loop behind. */
export async function until(met: () => boolean | Promise<boolean>, seconds = 120): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  do {
    if (await met()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < deadline);
  throw new Error(`never happened: ${met}`);
}

export function provision(
  settings: Readonly<Record<string, string | undefined>>,
  options?: { log?: (line: string) => void; pauseMs?: number; tries?: number },
): Promise<void>;

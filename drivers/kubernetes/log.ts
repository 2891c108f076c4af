/** The part of pino's logger that this driver uses. `event` is `noun.verb`. */
export type Log = {
  info(fields: { event: string } & Record<string, unknown>): void;
  warn(fields: { event: string } & Record<string, unknown>): void;
};

/** What one probe found, as a person reads it. */

export type Level = 'ok' | 'WARN' | 'FAIL';
export type Finding = {
  level: Level;
  /** What was asked, in a few words. */
  subject: string;
  /** What was found, and, unless all is well, what to do about it. */
  text: string;
};

export const ok = (subject: string, text: string): Finding => ({ level: 'ok', subject, text });
export const warn = (subject: string, text: string): Finding => ({ level: 'WARN', subject, text });
export const fail = (subject: string, text: string): Finding => ({ level: 'FAIL', subject, text });

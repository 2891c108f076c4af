/**
 * Something that the person at the terminal can do something about. The message is one sentence that says what is
 * wrong and what to do, with the log's place where there is one; it is printed without a stack trace.
 */
export class OperatorError extends Error {
  override name = 'OperatorError';
}

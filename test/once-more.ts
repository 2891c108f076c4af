/**
 * These tests kill processes and servers at moments and wait for what others do about it: on a busy machine a clock can
 * run out that is no defect. One that fails is run once more, and `make test` names it at its end; what is broken fails
 * again.
 */
import { jest } from '@jest/globals';

jest.retryTimes(1, { logErrorsBeforeRetry: true });

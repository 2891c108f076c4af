import { describe, expect, test } from '@jest/globals';
import { createLogOutput, type LineStream } from '../../../workers/log-output.ts';

/** A stream that takes nothing by itself: what was written waits until the test takes it, or breaks it. */
function stubbornStream() {
  const waiting: { text: string; done: (error?: Error) => void }[] = [];
  const listeners: ((error: Error) => void)[] = [];
  const stream: LineStream = {
    write: (text, done) => waiting.push({ text, done }),
    on: (_event, listener) => listeners.push(listener),
    get writableLength() {
      return waiting.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    },
  };
  const end = (error?: Error) => {
    const texts = waiting.map(({ text }) => text);
    for (const { done } of waiting.splice(0)) done(error);
    return texts;
  };
  return { stream, listeners, take: () => end(), breaks: (code: string) => end(new Error(code)) };
}

function output(maxWaiting = 1_000) {
  const at = stubbornStream();
  const taken: number[] = [];
  let lost = 0;
  const out = createLogOutput(at.stream, {
    maxWaiting,
    onLost: () => {
      lost += 1;
    },
    onTaken: (lines) => void taken.push(lines),
  });
  return { ...at, out, taken, lost: () => lost };
}

describe('while nobody takes lines', () => {
  test('so many wait as may, and those on top are lost and counted', () => {
    const { out, take, lost, stream } = output(30);
    for (let line = 0; line < 10; line++) out.write(`line ${line} ä\n`);
    expect(stream.writableLength).toBeLessThanOrEqual(30);
    expect(take()).toEqual(['line 0 ä\n', 'line 1 ä\n', 'line 2 ä\n']);
    expect(lost()).toBe(7);
  });

  test('it is said once how many were lost, when one is taken again', () => {
    const { out, take, taken } = output(10);
    out.write('123456789\n');
    out.write('lost\n');
    out.write('lost\n');
    expect(taken).toEqual([]);
    take();
    out.write('again\n');
    take();
    expect(taken).toEqual([2]);
  });
});

describe('when the pipe is broken or the disk full', () => {
  test('the error is listened to, or it would end the process', () => {
    expect(output().listeners).toHaveLength(1);
  });

  test.each(['EPIPE', 'ENOSPC'])('%s: the line counts as lost and the next is tried', (code) => {
    const { out, breaks, take, lost, taken } = output();
    out.write('one\n');
    breaks(code);
    out.write('two\n');
    // Of the first a part may stand there without its end.
    expect(take()).toEqual(['\ntwo\n']);
    out.write('three\n');
    expect(take()).toEqual(['three\n']);
    expect([lost(), taken]).toEqual([1, [1]]);
  });
});

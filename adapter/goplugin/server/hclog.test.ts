import { expect, test } from 'vitest';
import { memoryLog } from '../fixture/pair.ts';
import { HclogWriter } from './hclog.ts';
import type { LogSink } from './log-queue.ts';

type Done = (error?: Error | null) => void;

/** A pipe that a test opens and closes. */
class FakePipe implements LogSink {
  readonly texts: string[] = [];
  readonly pending: Done[] = [];
  throws: NodeJS.ErrnoException | undefined;
  onError: (error: Error) => void = () => undefined;

  write(text: string, done: Done): void {
    if (this.throws) throw this.throws;
    this.texts.push(text);
    this.pending.push(done);
  }

  on(_: 'error', listener: (error: Error) => void): void {
    this.onError = listener;
  }

  read(): void {
    for (const done of this.pending.splice(0)) done();
  }
}

const messages = ({ texts }: FakePipe): unknown[] =>
  texts.flatMap((text) => text.trimEnd().split('\n')).map((line) => JSON.parse(line)['@message']);

const errno = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

test('writes at its level and above', () => {
  const sink = new FakePipe();
  const log = new HclogWriter({ level: 'info', sink });
  log.trace('a');
  log.debug('b');
  log.info('c');
  log.warn('d');
  log.error('e');
  expect(messages(sink)).toEqual(['c', 'd', 'e']);
});

test('named writers add to the module', () => {
  const { log, lines } = memoryLog();
  log.named('lock').named('seal').warn('bad');
  expect(lines).toEqual([{ '@level': 'warn', '@message': 'bad', '@module': 'lock.seal' }]);
});

test('a full pipe (EAGAIN) delays lines, in order, and loses none', async () => {
  const sink = new FakePipe();
  const log = new HclogWriter({ sink });
  sink.throws = errno('EAGAIN');
  log.info('1');
  log.info('2');
  sink.throws = undefined;
  log.info('3');
  await expect.poll(() => messages(sink)).toEqual(['1', '2', '3']);
});

test('lines for debugging wait a moment; one that matters takes them along, in order', async () => {
  const sink = new FakePipe();
  const log = new HclogWriter({ sink });
  log.debug('1');
  log.debug('2');
  expect(sink.texts).toEqual([]);
  log.info('3');
  expect(messages(sink)).toEqual(['1', '2', '3']);
  log.debug('4');
  await expect.poll(() => messages(sink)).toEqual(['1', '2', '3', '4']);
});

test('the first warning goes out at once, those that follow it closely together', async () => {
  const sink = new FakePipe();
  const log = new HclogWriter({ sink });
  const said = Array.from({ length: 20 }, (_, n) => String(n));
  for (const each of said) log.warn(each);
  expect(messages(sink)).toEqual(['0']);
  await expect.poll(() => messages(sink)).toEqual(said);
  expect(sink.texts).toHaveLength(2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  log.warn('later');
  expect(messages(sink).at(-1)).toBe('later');
});

test('lines that go out together fit into one write of a pipe; a longer one goes alone', async () => {
  const sink = new FakePipe();
  const log = new HclogWriter({ sink });
  const sent = ['x'.repeat(3000), 'y'.repeat(3000), 'z'.repeat(500), 'w'.repeat(9000), 'v'];
  for (const text of sent) log.debug(text);
  await expect.poll(() => messages(sink)).toEqual(sent);
  expect(sink.texts.map((text) => text.trimEnd().split('\n').length)).toEqual([1, 2, 1, 1]);
});

test('a host that does not read costs bounded memory, and is told what it missed', () => {
  const sink = new FakePipe();
  const log = new HclogWriter({ sink, maxQueueBytes: 10_000 });
  for (let i = 0; i < 1000; i++) log.info('x'.repeat(100));
  const held = sink.texts.reduce((sum, text) => sum + text.length, 0);
  expect(held).toBeLessThanOrEqual(10_000);
  const kept = sink.texts.length;
  sink.read();
  const last = JSON.parse(sink.texts.at(-1) ?? '{}');
  expect(last).toMatchObject({ '@level': 'warn', dropped: String(1000 - kept) });
});

test.each(['event', 'callback', 'throw'])(
  'a broken pipe (EPIPE by %s) is told once and ends the writing',
  (way) => {
    const sink = new FakePipe();
    const log = new HclogWriter({ sink });
    let told = 0;
    log.onBroken(() => {
      told += 1;
    });
    log.info('before');
    if (way === 'event') sink.onError(errno('EPIPE'));
    if (way === 'callback') sink.pending[0]?.(errno('EPIPE'));
    if (way === 'throw') {
      sink.throws = errno('EPIPE');
      log.info('broken here');
      sink.throws = undefined;
    }
    sink.onError(errno('EPIPE'));
    log.info('after');
    expect(told).toBe(1);
    expect(sink.texts).toHaveLength(1);
  },
);

test('flush takes along the lines that wait', async () => {
  const { log, lines } = memoryLog();
  log.debug('last words');
  await log.flush(60_000);
  expect(lines).toHaveLength(1);
});

test('flush waits for the lines on their way, but not for ever', async () => {
  const sink = new FakePipe();
  const log = new HclogWriter({ sink });
  await log.flush(60_000);
  log.info('last words');
  await log.flush(1);
  const flushed = log.flush(60_000);
  sink.read();
  await flushed;
  expect(sink.texts).toHaveLength(1);
});

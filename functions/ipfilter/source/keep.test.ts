import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createContext } from '../fixtures/context.ts';
import { keep } from './keep.ts';
import type { Content } from './source.ts';

/** A source whose answers a test sets. */
function source(...answers: (string | 'unchanged' | Error)[]) {
  const tags: (string | undefined)[] = [];
  const read = async (_env: unknown, tag: string | undefined): Promise<Content | 'unchanged'> => {
    tags.push(tag);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    if (answer === 'unchanged' || answer === undefined) return 'unchanged';
    return { bytes: new TextEncoder().encode(answer), tag: `"${answer}"` };
  };
  return { read, tags };
}

function parse(pieces: Uint8Array[]): string {
  const text = new TextDecoder().decode(pieces[0]);
  if (text.startsWith('broken')) throw new Error(`line 7 is ${text}`);
  return text;
}

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 10, 22) }));
afterEach(() => vi.useRealTimers());

test('the first call waits, the next ones do not; what is due is read after the answer', async () => {
  const { read, tags } = source('one', 'two');
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  const first = kept.get(context);
  expect(first).toBeInstanceOf(Promise);
  expect((await first).value).toBe('one');
  expect(kept.get(context)).toMatchObject({ value: 'one' });
  vi.setSystemTime(Date.now() + 60_000);
  expect(kept.get(context)).toMatchObject({ value: 'one' });
  await context.settled();
  expect(kept.get(context)).toMatchObject({ value: 'two' });
  expect(tags).toEqual([undefined, '"one"']);
});

test('calls at the same time share one read', async () => {
  const { read, tags } = source('one');
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  await Promise.all([kept.get(context), kept.get(context), kept.get(context)]);
  expect(tags).toHaveLength(1);
});

test('a source that breaks keeps its last good copy, says so with the line and since when, and recovers', async () => {
  const { read, tags } = source('one', 'broken', new Error('it answered 503'), 'unchanged');
  const kept = keep('list abuse', { read }, 600_000, parse);
  const context = createContext({});
  await kept.get(context);
  vi.setSystemTime(Date.now() + 600_000);
  const since = new Date(Date.now()).toISOString();
  await kept.refresh(context);
  expect(kept.get(context)).toEqual({
    value: 'one',
    problem: 'line 7 is broken',
    brokenSinceMs: Date.parse(since),
  });
  expect(context.lines).toEqual([
    {
      level: 'warn',
      message: 'list abuse could not be read: line 7 is broken; the last good one stays',
      source: 'list abuse',
      since,
    },
  ]);
  // sooner than every ten minutes, and still since the first failure
  vi.setSystemTime(Date.now() + 30_000);
  void kept.get(context);
  await context.settled();
  expect(context.lines.at(-1)).toMatchObject({ message: expect.stringContaining('it answered 503'), since });
  vi.setSystemTime(Date.now() + 30_000);
  void kept.get(context);
  await context.settled();
  expect(kept.get(context)).toEqual({ value: 'one', problem: undefined, brokenSinceMs: undefined });
  // the tag of the last good copy, not of the broken one
  expect(tags).toEqual([undefined, '"one"', '"one"', '"one"']);
});

test('the log says what was expected, and what to do', async () => {
  const kept = keep('list abuse', { kv: 'LISTS', key: 'abuse.txt' }, 60_000, parse);
  const context = createContext({});
  expect(await kept.refresh(context)).toMatchObject({
    problem: 'there is no such binding as LISTS; bindings exist on Cloudflare Workers only',
  });
  expect(context.lines.map(({ message }) => message)).toEqual([
    'list abuse could not be read: there is no such binding as LISTS; bindings exist on Cloudflare Workers only; there is none. ' +
      "Expected: a binding of this name and kind. Bind it in the Worker's Wrangler configuration.",
  ]);
});

test('with nothing good there is nothing, and a source that is down is not asked with each call', async () => {
  const { read, tags } = source(new Error('down'));
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  expect(await kept.get(context)).toMatchObject({ value: undefined, problem: 'down' });
  expect(kept.get(context)).toMatchObject({ value: undefined, problem: 'down' });
  expect(tags).toHaveLength(1);
  vi.setSystemTime(Date.now() + 5_000);
  await kept.get(context);
  expect(tags).toHaveLength(2);
});

test('a clock that is set back does not keep a copy for years', async () => {
  const { read, tags } = source('one', 'two');
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  await kept.get(context);
  vi.setSystemTime(Date.now() - 86_400_000);
  void kept.get(context);
  await context.settled();
  expect(tags).toHaveLength(2);
});

test('a read that hangs is given up, and does not undo what came after it', async () => {
  const release: ((content: Content) => void)[] = [];
  const contents = (text: string) => ({ bytes: new TextEncoder().encode(text), tag: text });
  const read = () => new Promise<Content>((resolve) => release.push(resolve));
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  const stuck = kept.get(context);
  vi.setSystemTime(Date.now() + 30_000);
  const second = kept.get(context);
  release[1]?.(contents('new'));
  expect((await second).value).toBe('new');
  release[0]?.(contents('old'));
  expect((await stuck).value).toBe('new');
  expect(kept.get(context)).toMatchObject({ value: 'new', problem: undefined });
});

test('a read that was given up counts when it ends before the next one: a process may be frozen between calls', async () => {
  const release: ((content: Content) => void)[] = [];
  const contents = (text: string) => ({ bytes: new TextEncoder().encode(text), tag: text });
  const read = () => new Promise<Content>((resolve) => release.push(resolve));
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  const first = kept.get(context);
  release[0]?.(contents('one'));
  await first;
  for (const minutes of [1, 2]) {
    vi.setSystemTime(Date.now() + 60_000);
    void kept.get(context);
    expect(release).toHaveLength(1 + minutes);
  }
  release[1]?.(contents('two'));
  await vi.waitFor(() => expect(kept.get(context)).toMatchObject({ value: 'two' }));
  release[2]?.(contents('three'));
  await vi.waitFor(() => expect(kept.get(context)).toMatchObject({ value: 'three', problem: undefined }));
});

test('a read that hangs is a source that breaks: the last good copy says so', async () => {
  const answers: Promise<Content>[] = [Promise.resolve({ bytes: new TextEncoder().encode('one'), tag: 'a' })];
  const read = () => answers.shift() ?? new Promise<Content>(() => undefined);
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  await kept.get(context);
  vi.setSystemTime(Date.now() + 60_000);
  expect(kept.get(context)).toMatchObject({ value: 'one', problem: undefined });
  vi.setSystemTime(Date.now() + 30_000);
  expect(kept.get(context)).toMatchObject({
    value: 'one',
    problem: 'a read did not end in time',
    brokenSinceMs: Date.now(),
  });
  expect(context.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('did not end') }]);
});

test('where there is a copy, no answer waits long for a newer one', async () => {
  const { read } = source('one', 'two');
  const kept = keep('list abuse', { read }, 60_000, parse);
  const context = createContext({});
  await kept.get(context);
  expect(context.beside).toEqual([undefined]);
  vi.setSystemTime(Date.now() + 60_000);
  void kept.get(context);
  void kept.get(context);
  expect(context.beside.slice(1)).toEqual([{ atMostMs: 250 }, { atMostMs: 50 }]);
});

test('what stands in the bundle is never read again', async () => {
  const { read, tags } = source('other');
  const kept = keep('list abuse', { read }, Number.POSITIVE_INFINITY, parse, 'bundled');
  const context = createContext({});
  vi.setSystemTime(Date.now() + 86_400_000);
  expect(kept.get(context)).toMatchObject({ value: 'bundled' });
  await kept.refresh(context);
  expect(tags).toEqual([]);
});

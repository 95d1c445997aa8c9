import type { Mutation } from './mutation.ts';

const figures = 'adapter/metrics/metrics.test.ts';
const sockets = 'adapter/metrics/sockets.test.ts';
const tracing = 'adapter/tracing/tracing.test.ts';
const config = 'adapter/config/parse.test.ts';

/** One defect for each promise of the figures, the places where they are shown, and the traces. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/metrics/outcome.ts',
    text: "  if (outcome === 'refused') {",
    replacement: "  if (outcome === 'invalid') {",
    tests: [figures],
    why: 'nobody sees which check refused',
  },
  {
    file: 'adapter/metrics/outcome.ts',
    text: "  if (code === 'DENIED') return byWhom(trace.answeredBy) ?? 'denied';\n",
    replacement: '',
    tests: [figures],
    why: 'the function says no, and it looks like an attack',
  },
  {
    file: 'adapter/metrics/role-figures.ts',
    text: "this.#inForce?.files.locked.target ?? 'none'",
    replacement: "'https'",
    tests: ['adapter/metrics/role-figures.test.ts'],
    why: 'a slow Worker and a slow Lambda look the same',
  },
  {
    file: 'adapter/metrics/timed-target.ts',
    text: 'answer.then(ended, ended);',
    replacement: 'answer.then(ended, () => undefined);',
    tests: ['adapter/metrics/timed-target.test.ts'],
    why: 'a function that answers nobody looks fast',
  },
  {
    file: 'adapter/role/generation.ts',
    text: 'metrics ? timedTarget(target, locked.target, metrics) : target',
    replacement: 'target',
    tests: ['adapter/metrics/role-figures.test.ts'],
    why: 'nobody sees how long a function takes',
  },
  {
    file: 'adapter/metrics/role-figures.ts',
    text: '    if (codeOf(this.#inForce) !== codeOf(now)) this.#provedAt = undefined;\n',
    replacement: '',
    tests: ['adapter/metrics/role-figures.test.ts'],
    why: 'new code that nothing has proved yet shows the evidence of the old one',
  },
  {
    file: 'adapter/metrics/registry.ts',
    text: 'else if (this.#counters.size < maxSeries)',
    replacement: 'else',
    tests: [figures],
    why: 'a label with endless values fills the memory',
  },
  {
    file: 'adapter/metrics/prometheus.ts',
    text: 'cumulated += count;',
    replacement: 'cumulated = count;',
    tests: [figures],
    why: 'quantiles in Prometheus are nonsense',
  },
  {
    file: 'adapter/metrics/prometheus.ts',
    text: `.replaceAll('"', '\\\\"')`,
    replacement: '',
    tests: [figures],
    why: 'a label breaks the whole page',
  },
  {
    file: 'adapter/metrics/listen-address.ts',
    text: '(127(?:\\.\\d{1,3}){3})',
    replacement: '(\\d{1,3}(?:\\.\\d{1,3}){3})',
    tests: [figures],
    why: 'figures are served to the network',
  },
  {
    file: 'adapter/metrics/dead-socket.ts',
    text: '  if (found?.isSocket() !== true) return;\n',
    replacement: '  if (found === undefined) return;\n',
    tests: [sockets],
    why: 'a file that stands where a socket should be is deleted',
  },
  {
    file: 'adapter/metrics/dead-socket.ts',
    text: "  if (code === 'ECONNREFUSED') await",
    replacement: '  await',
    tests: [sockets],
    why: 'the socket of a living process is taken away',
  },
  {
    file: 'adapter/metrics/status-socket.ts',
    text: 'await chmod(path, 0o600);',
    replacement: 'await chmod(path, 0o666);',
    tests: [sockets],
    why: 'anybody reads the status',
  },
  {
    file: 'adapter/metrics/status-socket.ts',
    text: '    const unreadable = error instanceof SyntaxError || error instanceof z.ZodError;\n',
    replacement:
      '    const unreadable = error instanceof SyntaxError || error instanceof z.ZodError;\n    if (unreadable) throw error;\n',
    tests: [sockets],
    why: 'one role that says nothing hides all the others',
  },
  {
    file: 'adapter/metrics/status-socket.ts',
    text: '    if ((await lstat(socket).catch(() => undefined)) === undefined) return undefined;\n',
    replacement: '    return undefined;\n',
    tests: [sockets],
    why: 'a role that hangs looks like one that does not run',
  },
  {
    file: 'adapter/metrics/expose.ts',
    text: 'timer = setTimeout(() => void begin(), retryMs);',
    replacement: 'timer = setTimeout(() => undefined, retryMs);',
    tests: [sockets],
    why: 'after resetpwd the figures are gone until the next restart',
  },
  {
    file: 'adapter/tracing/span.ts',
    text: "...(code === undefined || code === 'DENIED' ? {} : { error: code }),",
    replacement: '...(code === undefined ? {} : { error: code }),',
    tests: [tracing],
    why: 'a denial looks like a failure',
  },
  {
    file: 'adapter/tracing/span.ts',
    text: '{ ...call, traceparent: traceparentOf(ids) }',
    replacement: 'call',
    tests: [tracing],
    why: 'the function is in no trace',
  },
  {
    file: 'adapter/cli/serve.ts',
    text: 'const sent = trace.callId ?? id;',
    replacement: 'const sent = id;',
    tests: ['test/faults/outage.test.ts'],
    why: 'the log names an event by an id that no function and no trace has',
  },
  {
    file: 'adapter/tracing/otlp.ts',
    text: 'if (queue.length >= maxQueued) {',
    replacement: 'if (queue.length < 0) {',
    tests: [tracing],
    why: 'a collector that is away becomes memory',
  },
  {
    file: 'adapter/config/parse.ts',
    text: "logLevel: 'error'",
    replacement: "logLevel: 'warn'",
    tests: [config],
    why: 'a key that is a collection writes a line to stderr that is no hclog',
  },
  {
    file: 'adapter/tracing/otlp.ts',
    text: "    outgoing.once('close', () => reject(new Error('closed without an answer')));\n",
    replacement: '',
    tests: [tracing],
    why: 'a collector that answers 101 ends all exports',
  },
];

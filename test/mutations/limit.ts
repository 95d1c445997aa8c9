import type { Mutation } from './mutation.ts';

const limit = 'adapter/policies/shared/limit.ts';
const breaker = 'adapter/policies/shared/breaker.ts';
const limitTest = 'adapter/policies/shared/limit.test.ts';
const openTest = 'adapter/policies/open-breaker.test.ts';
const breakerTest = 'adapter/policies/shared/breaker.test.ts';

const rows: readonly (readonly [text: string, replacement: string, why: string])[] = [
  ['inFlight < limits.maxInFlight && ', '', 'a flood opens as many connections as it likes'],
  [' && line.inFlight < limits.maxOfOneRpc', '', 'logins by password leave no place for those by key'],
  ['queued >= limits.maxQueued || ', '', 'the queue is as long as a flood makes it'],
  [' || queuedBytes + bytes > limits.maxQueuedBytes', '', 'a few thousand large users fill the memory'],
  ['Math.min(limits.maxWaitMs, ', 'Math.max(0, ', 'a call waits ten seconds for a turn that is of no use'],
  ['Math.max(0, call.deadlineMs - performance.now()) / 2', '60_000', 'its time is over when its turn comes'],
  ['      lines.delete(rpc);\n      lines.set(rpc, line);\n', '', 'one RPC that waits keeps the turn'],
  ['b.waiting.size > a.waiting.size ? b : a', 'a', 'a flooded RPC keeps the whole queue'],
  [
    'longest.waiting.size <= asking.waiting.size + 1',
    'longest.waiting.size < asking.waiting.size',
    'the flood pushes others out',
  ],
  [
    "      call.signal.addEventListener('abort', gaveUp, { once: true });\n",
    '',
    'who has gone keeps a place',
  ],
  ['      if (call.signal.aborted) gaveUp();\n', '', 'who had gone before takes a place'],
  [
    '  if (Array.isArray(value)) for (const element of value) bytes += elementBytes + held(element);\n  else ',
    '  if (!Array.isArray(value))\n    ',
    'an SSH client fills the memory with the answers that it types',
  ],
  ['elementBytes + held(element)', 'held(element)', 'a million empty answers wait for nothing'],
  ['elementBytes + key.length + held(element)', 'elementBytes', 'metadata of files fills the memory'],
  [
    '  for (const { data } of input.$unknown ?? []) bytes += data.byteLength;\n',
    '',
    'fields of a newer SFTPGo fill the memory',
  ],
];

/** Bounds on what a role holds for its function, and who loses when there is too much. */
export const mutations: readonly Mutation[] = [
  ...rows.map(([text, replacement, why]) => ({ file: limit, text, replacement, tests: [limitTest], why })),
  {
    file: breaker,
    text: ' || error instanceof ShedError',
    replacement: '',
    tests: [breakerTest],
    why: 'shed calls count for a function that is away: the breaker never opens in a flood',
  },
  {
    file: breaker,
    text: 'circuit.state === CircuitState.Closed || rested() ? 0 : 1',
    replacement: 'circuit.state === CircuitState.Closed ? 0 : 1',
    tests: [breakerTest],
    why: 'a role that nobody asks raises an alarm for ever',
  },
  {
    file: breaker,
    text: 'circuit.state === CircuitState.Open && performance.now()',
    replacement: 'performance.now()',
    tests: [breakerTest],
    why: 'while one call tries the others fail, and no alarm says so',
  },
  {
    file: breaker,
    text: 'if (circuit.state === CircuitState.Open && !rested()) throw refusal();',
    replacement:
      'if (circuit.state === CircuitState.Open && !rested()) {\n        await new Promise((resolve) => setTimeout(resolve, 1));\n        throw refusal();\n      }',
    tests: [openTest],
    why: 'who asks while the breaker is open waits',
  },
  {
    file: 'adapter/policies/eventsearcher/index.ts',
    text: 'breaker({ tools }), limit(), deadline(), retry({ tools })',
    replacement: 'retry({ tools }), breaker({ tools }), limit(), deadline()',
    tests: [openTest],
    why: 'what an open breaker refuses is asked once more, a moment later',
  },
  {
    file: breaker,
    text: 'let circuit = newCircuit();',
    replacement:
      "let circuit = Reflect.get(globalThis, 'circuit') ?? newCircuit();\n  Reflect.set(globalThis, 'circuit', circuit);",
    tests: [openTest],
    why: 'a function that is away stops the calls of every other one',
  },
];

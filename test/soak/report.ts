import type { Soaked } from './run.ts';

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (typeof rows[0]?.[column] === 'number' ? '--:' : '---'));
  return [row(head), row(rule), ...rows.map(row)].join('\n');
}

/** The closing tables, as Markdown. */
export function report({ minutes, calls, closing, courses, events, problems }: Soaked): string {
  const { rows, gone, lost, twice, retries } = closing;
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
  const cpuS = courses.reduce((all, course) => all + course.cpuS, 0);
  const whole = [
    ...rows.map(({ type, what, host, adapter, told = 0 }) => [
      type,
      what,
      host,
      adapter,
      host - adapter,
      told,
    ]),
    [
      'all',
      '',
      sum(({ host }) => host),
      sum(({ adapter }) => adapter),
      sum(({ host, adapter }) => host - adapter),
      sum(({ told = 0 }) => told),
    ],
  ];
  return [
    `${calls} calls in ${minutes} minutes:`,
    '',
    table(['type', 'ended as', 'host', 'adapter', 'difference', 'told by the function'], whole),
    '',
    table(
      ['beside these', 'calls'],
      [
        ['no adapter to ask: it was killed, and not yet started again', gone],
        ['the function was asked, and its answer was lost: kills and cuts', lost],
        ['questions that reached a function twice', twice],
        ['requests that adapters sent twice', retries],
        ['answers that were wrong, or that nothing accounts for', closing.differences.length],
      ],
    ),
    '',
    table(
      [
        'process',
        'RSS after warm-up, MiB',
        'RSS at the end, MiB',
        'highest, MiB',
        'slope, KiB/min',
        'descriptors, first third',
        'last third',
      ],
      courses.map(({ type, firstMib, lastMib, maxMib, kibPerMin, fds }) => [
        type,
        round(firstMib),
        round(lastMib),
        round(maxMib),
        round(kibPerMin),
        ...fds,
      ]),
    ),
    '',
    `All adapters together took ${cpuS.toFixed(0)} s of CPU time: ${((cpuS * 1e6) / calls).toFixed(0)} µs a call.`,
    '',
    table(
      ['event', 'times'],
      [...events].sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    ...(problems.length === 0 ? [] : ['', `${problems.length} problems:`, ...problems.slice(0, 40)]),
    '',
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

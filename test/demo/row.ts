/** Where the time of one call went, in ms. */
export interface LatencySplit {
  readonly total: number;
  /** gRPC between host and adapter, policies, encoding. */
  readonly host: number;
  readonly sign: number;
  readonly network: number;
  readonly function: number;
  readonly verify: number;
}

/** One call of the demo: a line of `--json`, a row of the table. */
export interface Row {
  readonly type: string;
  readonly rpc: string;
  readonly case: string;
  readonly target: 'https' | 'lambda' | 'local';
  readonly runtime: string;
  readonly expect: 'allowed' | 'denied' | 'ok' | 'not found' | 'refused';
  /** What came: one of these, `failed`, or `wrong answer`. */
  readonly result: string;
  readonly ok: boolean;
  /** How far the code that answered is proved; null where nothing verified answered. */
  readonly evidence: string | null;
  /** Key that signed the answer. */
  readonly keyid: string | null;
  /** Build id of the code that answered. */
  readonly digest: string | null;
  readonly latencyMs: LatencySplit;
  /** Our error code, where there is one. */
  readonly code: string | null;
}

const ms = (value: number): string => value.toFixed(2);

/** The table for people; digests and keyids shortened. */
export function formatTable(rows: readonly Row[]): string {
  const headings =
    'type rpc case target runtime result evidence total= host +sign +network +function +verify';
  const lines = [
    headings.split(' '),
    ...rows.map((row) => {
      const { total, host, sign, network, function: inFunction, verify } = row.latencyMs;
      return [
        row.type,
        row.rpc,
        row.case,
        row.target,
        row.runtime,
        `${row.ok ? '✓' : '✗'} ${row.result}${row.code === null ? '' : ` ${row.code}`}`,
        row.evidence ?? '–',
        ...[total, host, sign, network, inFunction, verify].map(ms),
      ];
    }),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column > 6 ? cell.padStart(widths?.[column] ?? 0) : cell.padEnd(widths?.[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newPrivateKey } from '../../adapter/cli/keys/files.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { exampleEntry, prepareDeployment } from '../runtimes/deployment.ts';
import { type AdapterHost, type CallOutcome, startAdapter } from './adapter-host.ts';
import { formatTable, type Row } from './row.ts';
import { startTamperProxy } from './tamper-proxy.ts';

/** `npm run demo`: one call all the way, then somebody tampers. Exit 0 only if every row is as expected. */
const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, log: { type: 'boolean', default: false } },
});

const rows: Row[] = [];
const started = performance.now();
const progress = (text: string) =>
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}\n`);
const log = (line: string) => {
  if (options.log) process.stderr.write(`         ${line}\n`);
};

const permissionDenied = 7;
/** Our codes that say: an answer came, and it was not used. */
const refusals = new Set(['ANSWER_REFUSED', 'ANSWER_UNSIGNED', 'DRIFT']);

function resultOf(expect: Row['expect'], { grpcCode, errorCode }: CallOutcome): string {
  if (grpcCode === 0) return expect === 'ok' ? 'ok' : 'allowed';
  if (grpcCode === permissionDenied) return 'denied';
  return errorCode !== undefined && refusals.has(errorCode) ? 'refused' : 'failed';
}

function record(rpc: string, name: string, expect: Row['expect'], outcome: CallOutcome): void {
  const result = resultOf(expect, outcome);
  const { facts } = outcome.trace;
  const row: Row = {
    type: 'ipfilter',
    rpc,
    case: name,
    target: 'https',
    runtime: 'workerd',
    expect,
    result,
    ok: result === expect,
    evidence: facts?.evidence ?? null,
    keyid: facts?.keyid ?? null,
    digest: facts?.version ?? null,
    latencyMs: outcome.latencyMs,
    code: result === 'refused' || result === 'failed' ? (outcome.errorCode ?? null) : null,
  };
  rows.push(row);
  if (options.json) process.stdout.write(`${JSON.stringify(row)}\n`);
}

async function genuineCalls(adapter: AdapterHost): Promise<void> {
  record('Reload', 'reload', 'ok', await adapter.call('Reload'));
  record(
    'CheckIP',
    'IPv4 of the office',
    'allowed',
    await adapter.call('CheckIP', { ip: '203.0.113.7', protocol: 'SSH' }),
  );
  record(
    'CheckIP',
    'IPv4 of a stranger',
    'denied',
    await adapter.call('CheckIP', { ip: '192.0.2.1', protocol: 'SSH' }),
  );
  record(
    'CheckIP',
    'IPv6 of the office',
    'allowed',
    await adapter.call('CheckIP', { ip: '2001:db8:7::1', protocol: 'FTP' }),
  );
  record(
    'CheckIP',
    'IPv6 of a stranger',
    'denied',
    await adapter.call('CheckIP', { ip: '2001:db8:9::1', protocol: 'FTP' }),
  );
  record(
    'CheckIP',
    'guest, web only',
    'allowed',
    await adapter.call('CheckIP', { ip: '198.51.100.9', protocol: 'HTTP' }),
  );
  record(
    'CheckIP',
    'guest on SSH',
    'denied',
    await adapter.call('CheckIP', { ip: '198.51.100.9', protocol: 'SSH' }),
  );
  record(
    'CheckIP',
    'asked again: cache',
    'allowed',
    await adapter.call('CheckIP', { ip: '203.0.113.7', protocol: 'SSH' }),
  );
}

progress('building the ipfilter function, making keys, certificate and lock');
const deployment = await prepareDeployment();
try {
  progress('starting the function in workerd, behind its own TLS socket');
  const workerd = await deployment.start();
  await deployment.lockAt(workerd.url);
  progress('starting the adapter as SFTPGo would: cookie, AutoMTLS, SHA-256, empty environment');
  const adapter = await startAdapter('ipfilter', deployment.configPath, log);
  try {
    progress('calling');
    await genuineCalls(adapter);
  } finally {
    await adapter.kill();
  }

  progress('now somebody tampers: a man in the middle with a certificate that the adapter trusts');
  const proxy = await startTamperProxy(deployment.tls);
  try {
    const changed = join(deployment.folder, 'changed.ts');
    const source = await readFile(exampleEntry, 'utf8');
    await writeFile(
      changed,
      source
        .replace("'./index.ts'", JSON.stringify(join(exampleEntry, '../index.ts')))
        .replace("default: 'deny'", "default: 'allow'"),
    );
    await buildFunction({ entry: changed, name: 'changed', type: 'ipfilter', outDir: deployment.folder });
    const [genuine, strangerKey, rebuilt] = await Promise.all([
      deployment.start({ publicUrl: proxy.url }),
      deployment.start({ publicUrl: proxy.url, key: newPrivateKey() }),
      deployment.start({ publicUrl: proxy.url, bundle: join(deployment.folder, 'changed.worker.mjs') }),
    ]);
    await deployment.lockAt(proxy.url, { section: 'cache: { entries: 0 }' });
    const attacked = await startAdapter('ipfilter', deployment.configPath, log);
    const check = () => attacked.call('CheckIP', { ip: '203.0.113.7', protocol: 'SSH' });
    try {
      proxy.upstream = genuine.url;
      record('CheckIP', 'through a proxy, untouched', 'allowed', await check());
      proxy.tampering = 'flip-a-byte';
      record('CheckIP', 'one byte of the answer', 'refused', await check());
      proxy.tampering = 'replay';
      record('CheckIP', 'an old answer again', 'refused', await check());
      proxy.tampering = 'none';
      proxy.upstream = strangerKey.url;
      record('CheckIP', "another function's key", 'refused', await check());
      proxy.upstream = rebuilt.url;
      record('CheckIP', 'rebuilt from changed source', 'refused', await check());
      proxy.upstream = genuine.url;
      record('CheckIP', 'the genuine one again', 'allowed', await check());
    } finally {
      await attacked.kill();
    }
  } finally {
    await proxy.close();
  }
} finally {
  await deployment.close();
}

const wrong = rows.filter(({ ok }) => !ok);
if (!options.json) {
  process.stdout.write(`\n${formatTable(rows)}\n\n`);
  process.stdout.write(
    `Latency in ms. Evidence "claimed": the function signs its build id; nobody looked at what is deployed.\n` +
      `${rows.length - wrong.length} of ${rows.length} rows as expected\n`,
  );
}
progress(wrong.length === 0 ? 'done' : `${wrong.length} rows are not as expected`);
process.exitCode = wrong.length === 0 ? 0 : 1;

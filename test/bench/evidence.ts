import { randomBytes, randomUUID } from 'node:crypto';
import type { HttpAnswer, Verifier } from '../../adapter/shapes.ts';
import { claimedVerifier } from '../../adapter/targets/https/evidence.ts';
import { openKnownVersions } from '../../adapter/targets/known-versions.ts';
import { lambdaVerifier } from '../../adapter/targets/lambda/evidence.ts';
import { workerConfig, workerFiles } from '../../adapter/targets/worker/configuration.ts';
import { workerVerifier } from '../../adapter/targets/worker/evidence.ts';
import { lockedFunction, recordingLog } from '../support/invoke.ts';
import { newKey } from '../support/keys.ts';
import { median } from './measure.ts';
import { type BenchRow, limitRow } from './row.ts';

const maxUs = 20;
const rounds = 20;
const answersPerRound = 5000;
const signal = new AbortController().signal;

/** What the check of the deployed code costs on each answer, in µs: once what is deployed is known, only memory. */
export async function evidenceRows(): Promise<BenchRow[]> {
  const digest = randomBytes(32).toString('hex');
  const probe = async () => ({});
  const https = lockedFunction('https://office.example', newKey(), digest);
  const accepts = [{ version: '7', files: { 'office.lambda.zip': digest }, config: {}, inputs: {} }];
  const log = recordingLog();
  const known = openKnownVersions(undefined, log);
  const watching = { probe, known, log, report() {}, watchMs: undefined };
  const lambda = lambdaVerifier(
    'office@live',
    { ...https, target: 'lambda', accepts },
    {
      deployed: async () => ({ CodeSha256: Buffer.from(digest, 'hex').toString('base64') }),
      ...watching,
    },
  );
  const found = {
    id: randomUUID(),
    modules: [{ name: 'office.mjs', content_type: 'text/javascript', content_base64: 'MQ==' }],
  };
  const settings = { name: 'office' };
  const entry = { version: found.id, files: workerFiles(found), config: workerConfig(found, settings) };
  const worker = workerVerifier(
    'office@live',
    { ...https, target: 'worker', accepts: [{ ...entry, inputs: {} }] },
    {
      api: {
        deployed: async () => [{ version_id: found.id, percentage: 100 }],
        version: async () => found,
        worker: async () => settings,
      },
      byVersionUrl: false,
      ...watching,
    },
  );
  return [
    await acceptRow('lambda', lambda, { executed: '7' }, digest),
    await acceptRow('worker', worker, {}, found.id),
    await acceptRow('https', claimedVerifier('office@live', https, probe), {}, digest),
  ];
}

/** Median of {@link rounds}: which version to call, and whether what answered is in the lock. */
async function acceptRow(
  target: string,
  verifier: Verifier,
  said: Pick<HttpAnswer, 'executed'>,
  claimed: string,
): Promise<BenchRow> {
  const answer: HttpAnswer = { status: 200, headers: [], body: new Uint8Array(), ...said };
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    for (let index = 0; index < answersPerRound; index += 1) {
      const pinned = await verifier.pin(signal);
      await verifier.accept(pinned, answer, claimed, signal);
    }
    costs.push(((performance.now() - started) * 1000) / answersPerRound);
  }
  return limitRow(`check on every answer, ${target}`, 'µs', median(costs), maxUs);
}

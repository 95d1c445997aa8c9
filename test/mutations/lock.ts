import type { Mutation } from './mutation.ts';

const attacks = 'adapter/config/lock-attacks.test.ts';
const reset = 'adapter/cli/lock/reset-seq.test.ts';
const history = 'adapter/config/lock-history.test.ts';
const manifest = 'infra/build/manifest.test.ts';
const write = 'infra/lock/write.test.ts';
const remove = 'infra/cli/lock/remove.test.ts';
const writers = 'infra/lock/two-writers.slow.test.ts';
const turn = 'infra/lock/turn.slow.test.ts';
const flow = 'infra/deploy/flow.slow.test.ts';
const inputs = 'infra/build/inputs.test.ts';
const cli = 'infra/cli/lock/lock.test.ts';
const diff = 'infra/lock/diff.test.ts';

/** One defect for each check between a build, its lock and the host that accepts the lock. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/config/load-lock.ts',
    text: ' || digest === accepted.digest) return;',
    replacement: ' || digest !== "") return;',
    tests: [attacks],
    why: 'two locks with one seq: hosts run different code, and each says it has the newest',
  },
  {
    file: 'adapter/config/load-lock.ts',
    text: 'return stored.digest === undefined ? inForce : stored;',
    replacement: 'return stored;',
    tests: [attacks],
    why: 'without a state folder, a running adapter forgets the content it accepted',
  },
  {
    file: 'adapter/config/load-lock.ts',
    text: 'if (seq < accepted.seq) {',
    replacement: 'if (seq < 1) {',
    tests: [attacks],
    why: 'rollback: an older lock, well sealed, brings back what was repaired',
  },
  {
    file: 'adapter/config/load-lock.ts',
    text: 'if (hasExpired(lock.expires) && (',
    replacement: 'if (Number.isNaN(lock.seq) && (',
    tests: [attacks],
    why: 'freeze: whoever keeps newer locks away decides for ever what is accepted',
  },
  {
    file: 'adapter/config/load-lock.ts',
    text: 'if (lock.seq !== before.seq) refuseFuture(files.lockPath, lock.issued);',
    replacement: '',
    tests: [attacks],
    why: 'a lock that a wrong clock made never expires in time',
  },
  {
    file: 'adapter/config/load-lock.ts',
    text: 'if (lock.seq !== before.seq) refuseFuture(',
    replacement: 'refuseFuture(',
    tests: [attacks],
    why: "the host's clock is set back, and service stops",
  },
  {
    file: 'adapter/config/load-lock.ts',
    text: 'stored.reset !== undefined && stored.reset !== inForce.reset',
    replacement: 'false',
    tests: [reset],
    why: 'a reset needs a restart of SFTPGo',
  },
  {
    file: 'adapter/config/lock-history.ts',
    text: '(accepted.seq === seq && accepted.digest !== undefined)',
    replacement: 'false',
    tests: [history],
    why: 'a second process replaces the content that was accepted under a seq',
  },
  {
    file: 'adapter/config/lock-history.ts',
    text: 'await save({ ...accepted, seq, digest });',
    replacement: 'await save({ seq, digest });',
    tests: [history],
    why: 'a reset that was taken over is taken over once more, and lets an older lock in',
  },
  {
    file: 'adapter/cli/lock/reset-seq.ts',
    text: 'if (hasExpired(lock.expires)) throw lockExpired(lockPath, lock.expires);',
    replacement: '',
    tests: [reset],
    why: 'a recovery makes an expired lock the accepted one',
  },
  {
    file: 'adapter/cli/lock/reset-seq.ts',
    text: 'await demandConsent(options.yes === true, lock.seq);',
    replacement: '',
    tests: [reset],
    why: 'a rollback by a mistyped command',
  },
  {
    file: 'adapter/config/read-file.ts',
    text: ' || stat.size > maxBytes) {',
    replacement: ') {',
    tests: [attacks],
    why: 'endless data: four megabytes of it are read at each poll',
  },
  {
    file: 'adapter/config/read-file.ts',
    text: 'if (!stat.isFile() || ',
    replacement: 'if (',
    tests: [attacks],
    why: 'a FIFO with a writer that never ends is read',
  },
  {
    file: 'proto/lock/open.ts',
    text: 'candidate.keyid === header?.kid',
    replacement: 'candidate !== undefined',
    tests: ['proto/lock/lock.test.ts'],
    why: 'a signature is tried with another key than it names, and the second signer counts as the first',
  },
  {
    file: 'proto/lock/open.ts',
    text: "if (typeof format === 'number' && format > 1) throw newerFormat(place, format);",
    replacement: '',
    tests: [attacks],
    why: 'a lock of a newer release is called damaged, and nobody knows what to do',
  },
  {
    file: 'infra/build/check-artifacts.ts',
    text: 'if (found === `SHA-256 $',
    replacement: 'if (found.startsWith("SHA-256") || found === `SHA-256 $',
    tests: [manifest],
    why: 'a bundle that was changed after the build is locked and deployed',
  },
  {
    file: 'infra/build/check-artifacts.ts',
    text: "if (!found.isFile()) return 'it is no regular file';",
    replacement: '',
    tests: [manifest],
    why: 'a device in place of a bundle is hashed without end',
  },
  {
    file: 'infra/build/manifest.ts',
    text: '.regex(/^[^/\\\\]+$/)',
    replacement: '',
    tests: [manifest],
    why: 'a manifest deploys a file outside its folder',
  },
  {
    file: 'infra/build/inputs.ts',
    text: "sha256([...digests].sort().join('\\n'))",
    replacement: "digests.at(-1) ?? ''",
    tests: [inputs],
    why: 'of a package that is installed twice, one copy changes unseen',
  },
  {
    file: 'infra/build/manifest.ts',
    text: `      config: {},
      inputs,
    }));`,
    replacement: `      config: {},
      inputs: manifest.inputs,
    }));`,
    tests: [manifest],
    why: 'a package that changed in one of two bundles changes unseen',
  },
  {
    file: 'infra/lock/write.ts',
    text: ', ...(await keptSeqs(files.lockFile)));',
    replacement: ');',
    tests: [write],
    why: 'a seq is given twice after git brought an older lock back, and hosts refuse the second',
  },
  {
    file: 'infra/lock/replace.ts',
    text: 'if ((await lockText(lockFile)) !== before) throw writtenMeanwhile(lockFile);',
    replacement: '',
    tests: [write],
    why: 'of two deployments at once, one is lost without a word',
  },
  {
    file: 'infra/lock/replace.ts',
    text: "if (copy === 'new' && existsSync(kept)) throw writtenMeanwhile(kept);",
    replacement: '',
    tests: [write],
    why: 'a seq is given twice, and the lock that was sealed with it first is gone',
  },
  {
    file: 'infra/lock/replace.ts',
    text: `    if (copy !== 'none') await turn.put('copy', kept);
    await turn.put('lock', lockFile);`,
    replacement: `    await turn.put('lock', lockFile);
    if (copy !== 'none') await turn.put('copy', kept);`,
    tests: [writers],
    why: 'a command is killed, and no rollback finds the lock that hosts have',
  },
  {
    file: 'infra/lock/turn.ts',
    text: "const id = randomBytes(6).toString('hex');",
    replacement: "const id = 'turn';",
    tests: [turn],
    why: 'a command that stood still puts the lock of another one in place, before that one has looked at what is there',
  },
  {
    file: 'infra/lock/turn.ts',
    text: 'nowMs - seen.sinceMs > leftBehindMs',
    replacement: 'nowMs < 0',
    tests: [turn],
    why: 'a command that was killed holds up all others for ever',
  },
  {
    file: 'infra/deploy/rollback.ts',
    text: 'return inOrder.has(version) && newest !== version ? newest : undefined;',
    replacement: 'return undefined;',
    tests: [flow],
    why: 'a rollback that was interrupted goes forward again when it is run again',
  },
  {
    file: 'infra/deploy/rollback.ts',
    text: 'return inOrder.has(version) && newest !== version ? newest : undefined;',
    replacement: 'return inOrder.has(version) ? newest : undefined;',
    tests: [flow],
    why: 'what was deployed a second time, and is bad, cannot be rolled back',
  },
  {
    file: 'infra/deploy/rollback.ts',
    text: 'if (context.to === undefined && (await isCutOff(context.lockFile, seq))) {',
    replacement: 'if (context.to !== context.to) {',
    tests: [flow],
    why: 'a lock that was cut off years ago stops every rollback',
  },
  {
    file: 'infra/lock/kept.ts',
    text: 'parseEnvelope(text, path);',
    replacement: "throw new PluginError('LOCK_INVALID', { happened: '', expected: '', remedy: '' });",
    tests: [flow],
    why: 'a lock that is not trusted is passed over, and the rollback goes too far back',
  },
  {
    file: 'infra/lock/remove.ts',
    text: 'return changeFunction(functions, name, undefined);',
    replacement: 'return functions;',
    tests: [remove],
    why: 'a withdrawn key stays in the lock, and the command says that it left',
  },
  {
    file: 'infra/lock/write.ts',
    text: 'if (lock?.seq === seq) return lock;',
    replacement: 'if (lock) return lock;',
    tests: [write],
    why: 'a rollback goes to another lock than was asked for',
  },
  {
    file: 'infra/lock/sign.ts',
    text: 'await openSealedLock(text, { place: lockFile, trust, threshold: 1 });',
    replacement: '',
    tests: [write],
    why: 'a second signer signs what the first did not',
  },
  {
    file: 'infra/lock/sign.ts',
    text: '.digest === digest;',
    replacement: '.digest !== "";',
    tests: [write],
    why: 'signing replaces the kept lock of another content',
  },
  {
    file: 'infra/cli/lock/sign.ts',
    text: 'if (options.only && options.trust === undefined) {',
    replacement: 'if (false) {',
    tests: [cli],
    why: 'a new signer seals what nobody has verified',
  },
  {
    file: 'infra/lock/text.ts',
    text: 'return text.replace(/[^\\x20-\\x7e]/g,',
    replacement: 'return text.replace(/[^\\s\\S]/g,',
    tests: [cli],
    why: 'a lock rewrites what the reviewer sees in the terminal',
  },
  {
    file: 'infra/lock/committed.ts',
    text: "'--end-of-options', ",
    replacement: '',
    tests: [cli],
    why: 'the name of a revision is an option of git, and writes a file',
  },
  {
    file: 'infra/lock/diff.ts',
    text: 'if (old === undefined || old === digest) return [];',
    replacement: 'if (old !== digest) return [];',
    tests: [diff],
    why: 'a package with the same version and other files looks unchanged',
  },
  {
    file: 'infra/lock/diff.ts',
    text: 'before.findLast((old) => names(old.files) === names(files)) ??',
    replacement: '',
    tests: [diff],
    why: 'a Worker bundle is compared with a Node bundle',
  },
];

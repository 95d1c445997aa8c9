import type { Mutation } from './mutation.ts';

const attacks = 'adapter/config/lock-attacks.test.ts';
const reset = 'adapter/cli/lock/reset-seq.test.ts';
const history = 'adapter/config/lock-history.test.ts';
const manifest = 'infra/build/manifest.test.ts';
const write = 'infra/lock/write.test.ts';
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
    file: 'infra/lock/write.ts',
    text: ', ...(await keptSeqs(files.lockFile)));',
    replacement: ');',
    tests: [write],
    why: 'a seq is given twice after git brought an older lock back, and hosts refuse the second',
  },
  {
    file: 'infra/lock/write.ts',
    text: 'await writeNewFile(kept, sealed, 0o644)',
    replacement: 'await writeFileAtomically(kept, sealed, 0o644)',
    tests: [write],
    why: 'of two deployments at once, one is lost without a word',
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
    text: '.digest === digest) {',
    replacement: '.digest !== "") {',
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

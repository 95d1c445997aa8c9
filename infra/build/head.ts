/**
 * How the shell starts Node. New objects get 16 MiB, less than V8's default, and one thread looks through them: less memory
 * after many calls at once, and no call waits until a helper of V8 gets a core. A Node that does not know these flags any
 * more starts without.
 */
const flags = '--max-semi-space-size=16 --no-parallel-scavenge';

/**
 * The first lines of the executable. Line 1 makes the file a shell script; line 2 is shell to sh and an expression
 * statement with a comment to JavaScript. The shell looks for Node ≥ 22 and becomes it (exec keeps the pid, which the host
 * must be able to kill); with an empty environment PATH is sh's own default. glibc keeps one heap and not one for each
 * thread, which holds what is freed less long (docs/performance.md has figures).
 */
export const head = [
  '#!/bin/sh',
  '":" //; for n in "$SFTPGO_PLUGIN_SERVERLESS_NODE" "$(command -v node)" /usr/bin/node /usr/local/bin/node; do ' +
    '[ -n "$n" ] && [ -x "$n" ] || continue; ' +
    `for f in "${flags}" ""; do ` +
    'case "$("$n" $f --version 2>/dev/null)" in v2[2-9].*|v[3-9][0-9].*) [ -n "$MALLOC_ARENA_MAX" ] || export MALLOC_ARENA_MAX=1; exec "$n" $f "$0" "$@";; esac; done; done; ' +
    'echo "[ERROR] sftpgo-plugin-serverless needs Node.js 22 or newer: none is in PATH, /usr/bin or /usr/local/bin. ' +
    'Set SFTPGO_PLUGIN_SERVERLESS_NODE to the path of one (host-config tells how)." >&2; exit 1',
  '',
].join('\n');

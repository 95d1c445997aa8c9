// Loaded into the adapter's Node by NODE_OPTIONS, in place of a DNS server: getaddrinfo asks the machine's resolver,
// which a test cannot change. `function.test` is this machine, unless there is the file that the environment names: then
// it is the address that stands in it, and with an empty one nobody knows it.
const dns = require('node:dns');
const { readFileSync } = require('node:fs');
const { lookup } = dns;

dns.lookup = (hostname, options, callback) => {
  if (hostname !== 'function.test') return lookup(hostname, options, callback);
  const moved = read(process.env.BROKEN_DNS);
  if (moved === '') {
    const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${hostname}`), {
      code: 'EAI_AGAIN',
      hostname,
    });
    return process.nextTick(callback, error);
  }
  return lookup(moved ?? '127.0.0.1', options, callback);
};

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

// Loaded into the adapter's Node by NODE_OPTIONS, in place of a DNS server: getaddrinfo asks the machine's resolver,
// which a test cannot change. `function.test` is this machine, unless the file of the environment says otherwise.
const dns = require('node:dns');
const { existsSync } = require('node:fs');
const { lookup } = dns;

dns.lookup = (hostname, options, callback) => {
  if (hostname !== 'function.test') return lookup(hostname, options, callback);
  if (existsSync(process.env.BROKEN_DNS)) {
    const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${hostname}`), {
      code: 'EAI_AGAIN',
      hostname,
    });
    return process.nextTick(callback, error);
  }
  return lookup('127.0.0.1', options, callback);
};

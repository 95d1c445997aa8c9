import { once } from 'node:events';
import { type AddressInfo, connect, createServer, isIPv6, type Server, type Socket } from 'node:net';

/** A load balancer on this machine, with clients from wherever a test says. */
export interface LoadBalancer {
  /** Port of 127.0.0.1 whose connections lead to `target`, and come from `client` as far as that can tell. */
  portFor(client: string, target: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * Starts one. It says by the PROXY protocol, version 1 (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt),
 * who a connection comes from: SFTPGo believes it where `common.proxy_protocol` and `common.proxy_allowed` say so.
 */
export function startLoadBalancer(): LoadBalancer {
  const fronts = new Map<string, Server>();
  const open = new Set<Socket>();
  const front = (client: string, target: number) =>
    createServer((near) => {
      const far = connect(target, '127.0.0.1');
      const [family, own] = isIPv6(client) ? ['TCP6', '::1'] : ['TCP4', '127.0.0.1'];
      far.write(`PROXY ${family} ${client} ${own} 50000 ${target}\r\n`);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  return {
    async portFor(client, target) {
      const key = `${client} ${target}`;
      const known = fronts.get(key) ?? front(client, target).listen(0, '127.0.0.1');
      fronts.set(key, known);
      if (!known.listening) await once(known, 'listening');
      return (known.address() as AddressInfo).port;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await Promise.all(
        [...fronts.values()].map((server) => new Promise((resolve) => server.close(resolve))),
      );
    },
  };
}

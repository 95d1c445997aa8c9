import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import { buildHost, type HostKind, sdkKinds, whyNoGo } from './build.ts';
import type { RpcCase, Step } from './cases/case.ts';
import { casesOf } from './cases/index.ts';
import { type GoHost, type LaunchedPlugin, startHost } from './driver.ts';
import { type Roles, startRoles } from './roles.ts';

const noGo = whyNoGo();

/** SDK, go-plugin, and how many RPCs the SDK has. */
const hosts: Readonly<Record<HostKind, readonly [sdk: string, goPlugin: string, rpcs: number]>> = {
  new: ['v0.1.9', 'v1.8.0', 15],
  v016: ['v0.1.6', 'v1.5.2', 20],
  v013: ['v0.1.3', 'v1.4.10-0.20230403150917-e889c1ba1044', 18],
  old: ['v0.1.1', 'v1.4.4', 18],
};

describe.skipIf(noGo !== undefined).each(sdkKinds)(
  `every RPC of the %s host's SDK${noGo ? ` (${noGo})` : ''}`,
  (kind) => {
    const [sdk, goPlugin, rpcs] = hosts[kind];
    const types = (Object.keys(pluginTypes) as PluginTypeName[]).filter(
      (type) => casesOf[type](kind).length > 0,
    );
    let roles: Roles;
    let host: GoHost;
    const plugins = new Map<PluginTypeName, LaunchedPlugin>();

    beforeAll(async () => {
      roles = await startRoles();
      host = startHost(await buildHost(kind));
      const { cmd, args, env, sha256 } = roles;
      for (const type of types) {
        plugins.set(type, await host.launch({ type, cmd, args, env, sha256, autoMtls: true }));
      }
    });

    afterAll(async () => {
      await host?.close();
      await roles?.close();
    });

    function pluginOf(type: PluginTypeName): LaunchedPlugin {
      const plugin = plugins.get(type);
      if (plugin === undefined) throw new Error(`${type} was not launched`);
      return plugin;
    }

    async function play(type: PluginTypeName, { rpc, method }: RpcCase, steps: readonly Step[]) {
      for (const step of steps) {
        const { code, output } = await pluginOf(type).call(step.method ?? method, ...step.args);
        expect({ code, output }).toEqual({ code: step.code ?? 'OK', output: step.returns });
        if (step.arrives) expect(roles.arrivals[type].last()).toEqual({ rpc, input: step.arrives });
      }
    }

    test(`SDK ${sdk}, go-plugin ${goPlugin}`, async () => {
      expect(await host.versions()).toMatchObject({
        'github.com/hashicorp/go-plugin': goPlugin,
        'github.com/sftpgo/sdk': sdk,
      });
    });

    test(`its ${rpcs} RPCs are all here`, async () => {
      const methods = await Promise.all(types.map((type) => pluginOf(type).methods()));
      const driven = types.map((type) => casesOf[type](kind).map(({ method }) => method));
      expect(methods).toEqual(driven.map((names) => names.toSorted()));
      expect(methods.flat()).toHaveLength(rpcs);
    });

    const rows = types.flatMap((type) => casesOf[type](kind).map((row) => [type, row.rpc, row] as const));

    test.each(rows)('%s %s: every field arrives, and the answer as it was given', async (type, _, row) => {
      await play(type, row, row.accepted);
    });

    test.each(rows)('%s %s: what the function refuses is refused', async (type, _, row) => {
      expect(row.refused.at(-1)).toHaveProperty('code');
      await play(type, row, row.refused);
    });

    test('nothing went wrong on the way', async () => {
      for (const type of types) {
        const lines = await pluginOf(type).logs();
        expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
        expect(await pluginOf(type).health()).toBe('SERVING');
      }
    });
  },
);

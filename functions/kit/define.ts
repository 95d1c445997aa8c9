import { Hono } from 'hono/tiny';
import { unsignedResponse } from './answer.ts';
import { readBody } from './body.ts';
import type { WaitUntil } from './context.ts';
import { createLog, describeThrown } from './log.ts';
import type { Plugin, PluginDefinition } from './plugin.ts';
import { type Runtime, webRuntime } from './runtime.ts';
import { serveCall } from './serve.ts';
import { readSettings, type Settings } from './settings.ts';

/** Answers HTTP requests to one plugin. */
export type Fetch<Env> = (request: Request, env: Env, platform?: WaitUntil) => Promise<Response>;

/** Makes a plugin of a definition, reachable as a Worker. */
export function definePlugin<Env>(definition: PluginDefinition<Env>): Plugin<Env> {
  return {
    type: definition.type,
    definition,
    handles: Object.keys(definition.rpcs).sort(),
    fetch: createFetch(definition, webRuntime),
  };
}

/**
 * The HTTP side of a plugin: `POST …/<service>/<RPC>`, with any path before it (a Worker may have a route like
 * `example.com/filter/*`). The settings of an environment are parsed once.
 */
export function createFetch<Env>(definition: PluginDefinition<Env>, runtime: Runtime): Fetch<Env> {
  const log = createLog({ plugin: definition.type });
  const settingsOf = rememberedSettings(runtime, (error) => log.error('not set up', describeThrown(error)));
  const app = new Hono<{ Bindings: { env: Env; platform: WaitUntil | undefined } }>();
  for (const path of ['/:service/:method', '/:prefix{.+}/:service/:method'] as const) {
    app.post(path, (c) =>
      serveCall({
        request: c.req.raw,
        service: c.req.param('service'),
        method: c.req.param('method'),
        ...c.env,
        definition,
        runtime,
        settings: () => settingsOf(c.env.env),
      }),
    );
  }
  app.notFound(async (c) => {
    const body = await readBody(c.req.raw, definition.maxRequestBytes);
    return unsignedResponse(404, 'unimplemented', 'nothing here', body.bytes === undefined && body.mustClose);
  });
  app.onError((thrown) => {
    log.error('failed before the call was verified', describeThrown(thrown));
    return unsignedResponse(500, 'internal', 'the function failed; its log says why', true);
  });
  return async (request, env, platform) => app.fetch(request, { env, platform });
}

/** Settings by environment object: a Worker gets the same one with every request to an isolate. */
function rememberedSettings(runtime: Runtime, onError: (error: unknown) => void) {
  const remembered = new WeakMap<object, Promise<Settings>>();
  return (env: unknown): Promise<Settings> => {
    const key = typeof env === 'object' && env !== null ? env : remembered;
    let settings = remembered.get(key);
    if (settings === undefined) {
      settings = readSettings(env, runtime);
      settings.catch(onError);
      remembered.set(key, settings);
    }
    return settings;
  };
}

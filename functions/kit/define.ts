import { PatternRouter } from 'hono/router/pattern-router';
import { unsignedResponse } from './answer.ts';
import { readBody } from './body.ts';
import type { WaitUntil } from './context.ts';
import { createLog, describeThrown } from './log.ts';
import type { Plugin, PluginDefinition } from './plugin.ts';
import { type Runtime, webRuntime } from './runtime.ts';
import { type Incoming, serveCall } from './serve.ts';
import { readSettings, type Settings } from './settings.ts';

/** Answers HTTP requests to one plugin. */
export type Fetch<Env> = (request: Request, env: Env, platform?: WaitUntil) => Promise<Response>;

/** Makes a plugin of a definition, reachable as a Worker. */
export function definePlugin<Env>(definition: PluginDefinition<Env>): Plugin<Env> {
  return {
    type: definition.type,
    definition,
    handles: handlesOf(definition),
    fetch: createFetch(definition, webRuntime),
  };
}

function handlesOf<Env>({ rpcs, further = {} }: PluginDefinition<Env>): readonly string[] {
  const others = Object.entries(further).flatMap(([service, { rpcs: own }]) =>
    Object.keys(own).map((name) => `${service}/${name}`),
  );
  return [...Object.keys(rpcs), ...others].sort();
}

/**
 * The HTTP side of a plugin: `POST …/<service>/<RPC>`, with any path before it (a Worker may have a route like
 * `example.com/filter/*`). The settings of an environment are parsed once.
 *
 * Hono's router without Hono's application: that is 5 kB gzip for a context that one route does not use, and the
 * difference between keeping and breaking the bundle's budget of 14 kB. A plugin is at home in a Hono application
 * all the same: `app.all('/filter/*', (c) => plugin.fetch(c.req.raw, c.env, c.executionCtx))`.
 */
export function createFetch<Env>(definition: PluginDefinition<Env>, runtime: Runtime): Fetch<Env> {
  const log = createLog({ plugin: definition.type });
  const settingsOf = rememberedSettings(runtime, (error) => log.error('not set up', describeThrown(error)));
  const router = new PatternRouter<(incoming: Incoming<Env>) => Promise<Response>>();
  router.add('POST', '/:service/:method', serveCall);
  router.add('POST', '/:prefix{.+}/:service/:method', serveCall);
  return async (request, env, platform) => {
    try {
      const [[handler, params] = []] = router.match(request.method, new URL(request.url).pathname)[0];
      const { service, method } = (params ?? {}) as { service?: string; method?: string };
      if (handler === undefined || service === undefined || method === undefined)
        return await notFound(request);
      const settings = () => settingsOf(env);
      return await handler({ request, service, method, env, platform, definition, runtime, settings });
    } catch (thrown) {
      log.error('failed before the call was verified', describeThrown(thrown));
      return unsignedResponse(500, 'internal', 'the function failed; its log says why', true);
    }
  };

  async function notFound(request: Request): Promise<Response> {
    const body = await readBody(request, definition.maxRequestBytes);
    return unsignedResponse(404, 'unimplemented', 'nothing here', body.bytes === undefined && body.mustClose);
  }
}

/** Settings by environment object: a Worker gets the same one with every request to an isolate. */
function rememberedSettings(runtime: Runtime, onError: (error: unknown) => void) {
  const remembered = new WeakMap<object, Promise<Settings>>();
  return (env: unknown): Promise<Settings> => {
    // an environment that is no object holds no settings: one place for that error
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

/** What the adapter hands to a thread when it starts. */
export interface ThreadData {
  /** The bundle: an ES module whose default export has `fetch(request, env, platform)`. */
  readonly code: string;
  /** `file:` URL of the bundle, for stack traces and import.meta.url. */
  readonly url: string;
  /** Settings and the lock's environment; the process's own environment is empty. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxAnswerBytes: number;
}

/** From the adapter to the thread. */
export type ToThread =
  | {
      readonly type: 'call';
      readonly id: number;
      readonly url: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: Uint8Array;
    }
  | { readonly type: 'ping' }
  /** Finish what is under way, `waitUntil` work included, and exit. */
  | { readonly type: 'end' };

/** From the thread to the adapter. */
export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly reason: string }
  /** The call has begun: from here on it may have had effects. */
  | { readonly type: 'begun'; readonly id: number }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: Uint8Array;
    }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string }
  | { readonly type: 'pong' };

/**
 * The program of a thread. Its text is handed to `new Worker(…, { eval: true })`, since the executable is one file
 * without a second one to start a thread from: so it must name nothing outside itself but globals.
 *
 * The bundle is a module made from the text it was given, not a file: an import gets Node's own modules and nothing
 * else, so that no byte runs that was not hashed.
 */
export function runThread(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const { SourceTextModule, SyntheticModule } = process.getBuiltinModule('node:vm');
  const { code, url, env, maxAnswerBytes } = workerData as ThreadData;
  const post = (message: FromThread, transfer: ArrayBuffer[] = []) =>
    parentPort?.postMessage(message, transfer);
  const reasonOf = (thrown: unknown) =>
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  const background = new Set<Promise<unknown>>();
  const platform = {
    waitUntil(work: Promise<unknown>) {
      const settled = work.catch(() => undefined).finally(() => background.delete(settled));
      background.add(settled);
    },
  };

  async function builtin(specifier: string) {
    const exported: object | undefined = process.getBuiltinModule(specifier);
    if (exported === undefined) throw new Error(`cannot import ${specifier}: a local function is one file`);
    const names = [...new Set(['default', ...Object.keys(exported)])];
    const module = new SyntheticModule(names, () => {
      for (const name of names) {
        module.setExport(name, name === 'default' ? exported : Reflect.get(exported, name));
      }
    });
    await module.link(() => Promise.reject(new Error('imports nothing')));
    await module.evaluate();
    return module;
  }

  type Fetch = (request: Request, env: object, platform: object) => Promise<Response>;

  async function load(): Promise<Fetch> {
    const module = new SourceTextModule(code, {
      identifier: url,
      initializeImportMeta: (meta) => Object.assign(meta, { url }),
      importModuleDynamically: builtin,
    });
    await module.link(builtin);
    await module.evaluate();
    const plugin = Object(Reflect.get(module.namespace, 'default'));
    if (typeof plugin.fetch !== 'function') throw new Error('its default export is no plugin');
    return (request, settings, context) => plugin.fetch(request, settings, context);
  }

  async function answer(fetch: Fetch, call: Extract<ToThread, { type: 'call' }>): Promise<void> {
    const { id } = call;
    post({ type: 'begun', id });
    try {
      const headers: [string, string][] = call.headers.map(([name, value]) => [name, value]);
      headers.push(['content-length', String(call.body.byteLength)]);
      const body = call.body as Uint8Array<ArrayBuffer>;
      const response = await fetch(new Request(call.url, { method: 'POST', headers, body }), env, platform);
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (bytes.byteLength > maxAnswerBytes) {
        throw new Error(`its answer is longer than ${maxAnswerBytes} bytes`);
      }
      post({ type: 'answer', id, status: response.status, headers: [...response.headers], body: bytes }, [
        bytes.buffer,
      ]);
    } catch (thrown) {
      post({ type: 'failed', id, reason: reasonOf(thrown) });
    }
  }

  const calls = new Set<Promise<void>>();
  const loaded = load();
  parentPort?.on('message', (message: ToThread) => {
    if (message.type === 'ping') post({ type: 'pong' });
    if (message.type === 'call') {
      const call = loaded.then((fetch) => answer(fetch, message)).finally(() => calls.delete(call));
      calls.add(call);
    }
    if (message.type === 'end') {
      void Promise.all(calls)
        .then(() => Promise.all(background))
        .finally(() => process.exit(0));
    }
  });
  loaded.then(
    () => post({ type: 'ready' }),
    (thrown: unknown) => post({ type: 'unusable', reason: reasonOf(thrown) }),
  );
}

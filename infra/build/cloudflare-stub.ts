import type { Metafile, Plugin } from 'esbuild';

const builtIn = /^cloudflare:/;

/** Does a bundle import modules that only Cloudflare's runtime has? */
export function importsCloudflare({ outputs }: Metafile): boolean {
  return Object.values(outputs).some(({ imports }) => imports.some(({ path }) => builtIn.test(path)));
}

/**
 * Puts something in place of `cloudflare:*` that Node can load: every name is there, can be extended, called and
 * constructed, and does nothing. So a Durable Object's class loads, and the plugin beside it can be asked what it is.
 *
 * The names are found in the prototype: that is what esbuild gives to `import { DurableObject }` of a CommonJS module.
 * `then` is none of them, or `await import()` would wait for it.
 */
export const cloudflareStub: Plugin = {
  name: 'cloudflare-stub',
  setup(build) {
    build.onResolve({ filter: builtIn }, ({ path }) => ({ path, namespace: 'cloudflare-stub' }));
    build.onLoad({ filter: /^/, namespace: 'cloudflare-stub' }, () => ({
      contents: `module.exports = Object.create(new Proxy({}, {
        get: (_, name) => (typeof name !== 'string' || name === 'then' || name === '__esModule' ? undefined : function () {}),
        has: (_, name) => typeof name === 'string' && name !== 'then',
      }));`,
      loader: 'js',
    }));
  },
};

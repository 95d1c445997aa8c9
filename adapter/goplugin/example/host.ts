import { KV } from '../../../proto/gen/goplugin/kv_pb.ts';
import { launch } from '../index.ts';

/** Starts plugin.ts as a go-plugin host would, stores a value and reads it back: `node host.ts KEY VALUE`. */
const [key = 'greeting', value = 'hello'] = process.argv.slice(2);
const plugin = await launch({
  cmd: process.execPath,
  args: [new URL('plugin.ts', import.meta.url).pathname],
  cookie: { name: 'BASIC_PLUGIN', value: 'hello' },
  versions: [1],
  onLog: (level, message, fields) => console.error(`${level}: ${message}`, fields),
});
try {
  await plugin.call(KV.method.put, { key, value: Buffer.from(value) }, { timeoutMs: 1000 });
  const { output } = await plugin.call(KV.method.get, { key }, { timeoutMs: 1000 });
  console.log(Buffer.from(output.value).toString('utf8'));
} finally {
  await plugin.kill();
}

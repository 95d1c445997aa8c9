import { readdirSync } from 'node:fs';
import type { Metrics } from './registry.ts';

/** The figures of the process itself. */
export function addProcessFigures(metrics: Metrics): void {
  const startedS = Date.now() / 1000 - process.uptime();
  metrics.gauge('start_timestamp_seconds', () => startedS);
  metrics.gauge('resident_memory_bytes', () => process.memoryUsage.rss());
  metrics.gauge('open_fds', () => {
    try {
      return readdirSync('/proc/self/fd').length;
    } catch {
      return undefined;
    }
  });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PluginError } from '../../proto/error.ts';
import { loadEsbuild } from './load-esbuild.ts';

test('esbuild comes from the project', async () => {
  const { code } = await loadEsbuild(process.cwd()).transform('let x: number = 1', { loader: 'ts' });
  expect(code).toBe('let x = 1;\n');
});

test('a project without esbuild is told how to install it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'no-esbuild-'));
  try {
    expect(() => loadEsbuild(folder)).toThrow(
      expect.objectContaining({ code: 'TOOL_MISSING', remedy: 'Run: npm i -D esbuild' }) as PluginError,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

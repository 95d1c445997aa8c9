import { expect, test } from 'vitest';
import { asEnvironment } from './environment.ts';

test('capitals, two underscores between levels, commas between items', () => {
  const entry = {
    type: 'notifier',
    auto_mtls: true,
    notifier_options: { fs_events: ['upload', 'delete'], log_events: [1, 5], retry_max_time: 60 },
  };
  expect(asEnvironment([{ type: 'kms' }, entry], 3).split('\n')).toEqual([
    'SFTPGO_PLUGINS__3__TYPE=kms',
    'SFTPGO_PLUGINS__4__TYPE=notifier',
    'SFTPGO_PLUGINS__4__AUTO_MTLS=true',
    'SFTPGO_PLUGINS__4__NOTIFIER_OPTIONS__FS_EVENTS=upload,delete',
    'SFTPGO_PLUGINS__4__NOTIFIER_OPTIONS__LOG_EVENTS=1,5',
    'SFTPGO_PLUGINS__4__NOTIFIER_OPTIONS__RETRY_MAX_TIME=60',
  ]);
});

test.each([
  ['a comma in an item', [{ args: ['serve', '/etc/a,b.yaml'] }], 0],
  ['a line feed in an item', [{ args: ['/etc/a\nb.yaml'] }], 0],
  ['a line feed', [{ cmd: '/opt/a\nb' }], 0],
  ['an entry after number 9', [{ type: 'kms' }, { type: 'auth' }], 9],
])('%s cannot be written so', (_, entries, first) => {
  expect(() => asEnvironment(entries, first)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
});

test('number 9 is the last', () => {
  expect(asEnvironment([{ type: 'kms' }], 9)).toBe('SFTPGO_PLUGINS__9__TYPE=kms');
});

import { expect, test } from 'vitest';
import { notifierSection } from '../../policies/notifier/config.ts';
import { notifierOptionsOf } from './notifier-options.ts';
import { parseSftpgoVersion } from './sftpgo-version.ts';

const all = ['SendFsEvent', 'SendProviderEvent', 'SendLogEvent'];

function optionsOf(section: object, handles = all, release?: string) {
  const { events, retry } = notifierSection.parse({ use: 'events', instance: 'node1', ...section });
  const version = release === undefined ? undefined : parseSftpgoVersion(release);
  return notifierOptionsOf({ events, retry }, 'events@live', { handles }, version);
}

test('by default everything that happened, once, and a queue for a day', () => {
  expect(optionsOf({})).toEqual({
    fs_events: ['download', 'upload', 'delete', 'rename', 'mkdir', 'rmdir', 'copy', 'ssh_cmd'],
    provider_events: ['add', 'update', 'delete'],
    provider_objects: [
      'user',
      'folder',
      'group',
      'admin',
      'api_key',
      'share',
      'event_action',
      'event_rule',
      'role',
      'ip_list_entry',
      'configs',
    ],
    log_events: [1, 2, 3, 4, 5],
    retry_max_time: 86_400,
    retry_queue_max_size: 100_000,
  });
});

test('lists of the section are taken as they are', () => {
  const events = {
    fs: ['upload', 'pre-delete'],
    provider: ['add'],
    objects: ['user'],
    log: ['LoginOK', 'LoginFailed'],
  };
  expect(optionsOf({ events, retry: { maxTime: '90s', queue: 7 } })).toEqual({
    fs_events: ['upload', 'pre-delete'],
    provider_events: ['add'],
    provider_objects: ['user'],
    log_events: [5, 1],
    retry_max_time: 90,
    retry_queue_max_size: 7,
  });
});

test.each([
  ['SendFsEvent', [8, 0, 0, 0]],
  ['SendProviderEvent', [0, 3, 11, 0]],
  ['SendLogEvent', [0, 0, 0, 5]],
])('a function that handles %s alone gets nothing else', (rpc, counts) => {
  const found = optionsOf({}, [rpc]);
  const lists = [found.fs_events, found.provider_events, found.provider_objects, found.log_events ?? []];
  expect(lists.map(({ length }) => length)).toEqual(counts);
});

test('provider events without objects are none', () => {
  expect(optionsOf({ events: { objects: [] } })).toMatchObject({ provider_events: [], provider_objects: [] });
});

test('log events are left out for a release without them', () => {
  expect(optionsOf({}, all, '2.5.0')).not.toHaveProperty('log_events');
  expect(optionsOf({}, all, '2.5.1')).toHaveProperty('log_events', [1, 2, 3, 4, 5]);
});

test.each([
  ['no lists', { events: { fs: [], provider: [], log: [] } }, all, undefined],
  ['lists that the function does not handle', { events: { fs: [] } }, ['SendFsEvent'], undefined],
  ['actions without objects', { events: { objects: [] } }, ['SendProviderEvent'], undefined],
  ['log events, before there were any', {}, ['SendLogEvent'], '2.5.0'],
  ['log events, before they were enough', {}, ['SendLogEvent'], '2.5.6'],
])('%s: SFTPGo would not start, so it is refused', (_, section, handles, release) => {
  expect(() => optionsOf(section, handles, release)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      happened: expect.stringContaining(handles.join(', ')),
    }),
  );
});

test('log events alone are enough from 2.6.0 on', () => {
  expect(optionsOf({}, ['SendLogEvent'], '2.6.0').log_events).toHaveLength(5);
});

test.each([
  ['less than SFTPGo needs for a second try', { retry: { maxTime: '20s' } }],
  ['an event that SFTPGo does not have', { events: { fs: ['uploads'] } }],
  ['a log event by its number', { events: { log: [1] } }],
])('%s is a wrong value', (_, section) => {
  expect(() => optionsOf(section)).toThrow();
});

import type { HostKind } from '../build.ts';
import { base64, isSince, type RpcCase } from './case.ts';

const start = 1_697_040_000_123_456_789n;
const end = 9_223_372_036_854_775_807n;

/** What the SDKs call the same, and what the function gets of it. */
const asked = {
  ...{ StartTimestamp: start, EndTimestamp: end, Username: 'anna', IP: '192.0.2.7' },
  ...{ InstanceIDs: ['node1', 'node2'], Limit: 1, Order: 1 },
};
const arriving = {
  ...{ startTimestamp: start, endTimestamp: end, username: 'anna', ip: '192.0.2.7' },
  ...{ instanceIds: ['node1', 'node2'], limit: 1, order: 'asc' },
};
const nothing = {
  ...{ startTimestamp: undefined, endTimestamp: undefined, username: '', ip: '', instanceIds: [] },
  ...{ limit: 100, order: 'desc', fromId: undefined, excludeIds: [], role: '' },
};

const fsAsked = {
  ...{ Actions: ['upload', 'delete'], SSHCmd: 'scp', Protocols: ['SFTP'], Statuses: [1, 3] },
  ...{ FsProvider: -1, Bucket: 'b', Endpoint: 'e' },
};
const fsArriving = {
  ...{ actions: ['upload', 'delete'], sshCmd: 'scp', protocols: ['SFTP'], statuses: [1, 3] },
  ...{ fsProvider: undefined, bucket: 'b', endpoint: 'e' },
};
const fsNothing = {
  ...{ actions: [], sshCmd: '', protocols: [], statuses: [], fsProvider: 0, bucket: '', endpoint: '' },
};

/** The searches that an SDK has, with every field that it has. */
export function eventsearcherCases(kind: HostKind): readonly RpcCase[] {
  const hasRole = isSince(kind, 'v013');
  const pagesById = isSince(kind, 'v016');
  const role = hasRole ? 'r1' : '';
  const askedRole = hasRole ? { Role: 'r1' } : {};
  // the old clients return the two lists that nobody reads as well
  const found = (json: string) => (pagesById ? [base64(json)] : [base64(json), null, null]);
  const roleJson = hasRole ? ',"role":"r1"' : '';
  /** One id and, for an SDK that can, several: the same number on the wire. */
  const pages = pagesById
    ? [{ sent: { FromID: 'id-1' }, got: { fromId: 'id-1', excludeIds: [] } }]
    : [
        { sent: { ExcludeIDs: ['id-1'] }, got: { fromId: 'id-1', excludeIds: [] } },
        { sent: { ExcludeIDs: ['id-1', 'id-2'] }, got: { fromId: undefined, excludeIds: ['id-1', 'id-2'] } },
      ];
  const fsFound = (suffix: string) =>
    found(
      '[{"id":"e1","timestamp":1697040000123456789,"action":"upload","username":"anna","fs_path":"/srv/a",' +
        '"virtual_path":"/a","file_size":9007199254740993,"status":1,"protocol":"SFTP","session_id":"s1",' +
        `"fs_provider":0${suffix}}]`,
    );
  const provider = { Actions: ['add'], ObjectName: 'anna', ObjectTypes: ['user', 'role'] };
  const providerFound = (suffix: string) =>
    found(
      '[{"id":"e2","timestamp":1697040000123456789,"action":"add","username":"admin","object_type":"user",' +
        `"object_name":"anna"${suffix}}]`,
    );
  const objectData = `,"object_data":"${base64('{"id":1}')}"`;
  return [
    {
      rpc: 'SearchFsEvents',
      method: 'SearchFsEvents',
      accepted: [
        ...pages.map(({ sent, got }) => ({
          args: [{ ...asked, ...askedRole, ...fsAsked, ...sent }],
          arrives: { ...arriving, ...fsArriving, ...got, role },
          returns: fsFound(roleJson),
        })),
        { args: [{ Limit: 100 }], arrives: { ...nothing, ...fsNothing }, returns: fsFound('') },
      ],
      refused: [{ args: [{ Limit: 100, Username: 'slow' }], code: 'Unavailable' }],
    },
    {
      rpc: 'SearchProviderEvents',
      method: 'SearchProviderEvents',
      accepted: [
        ...pages.map(({ sent, got }) => ({
          args: [{ ...asked, ...askedRole, ...provider, ...sent }],
          arrives: {
            ...{ ...arriving, ...got, role, omitObjectData: false },
            ...{ actions: ['add'], objectName: 'anna', objectTypes: ['user', 'role'] },
          },
          returns: providerFound(`${objectData}${roleJson}`),
        })),
        ...(hasRole
          ? [
              {
                args: [{ Limit: 100, OmitObjectData: true }],
                arrives: {
                  ...{ ...nothing, omitObjectData: true },
                  ...{ actions: [], objectName: '', objectTypes: [] },
                },
                returns: providerFound(''),
              },
            ]
          : []),
      ],
      refused: [{ args: [{ Limit: 100, Username: 'slow' }], code: 'Unavailable' }],
    },
    ...(pagesById
      ? [
          {
            rpc: 'SearchLogEvents',
            method: 'SearchLogEvents',
            accepted: [
              {
                args: [{ ...asked, Role: 'r1', FromID: 'id-1', Events: [1, 5], Protocols: ['SSH'] }],
                arrives: {
                  ...{ ...arriving, role: 'r1', fromId: 'id-1', excludeIds: [] },
                  ...{ events: [1, 5], protocols: ['SSH'] },
                },
                returns: found(
                  '[{"id":"e3","timestamp":1697040000123456789,"event":5,"username":"anna","role":"r1"}]',
                ),
              },
            ],
            refused: [{ args: [{ Limit: 100, Username: 'slow' }], code: 'Unavailable' }],
          },
        ]
      : []),
  ];
}

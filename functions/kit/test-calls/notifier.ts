import type { FsEvent, LogEvent, ProviderEvent } from '../../../proto/gen/wire.ts';
import { outputOf, type Run } from './run.ts';

/** The RPCs of a notifier plugin. Each resolves where SFTPGo would forget the event; fields left out are empty. */
export interface NotifierCalls {
  fsEvent(event: Partial<FsEvent>): Promise<void>;
  providerEvent(event: Partial<ProviderEvent>): Promise<void>;
  logEvent(event: Partial<LogEvent>): Promise<void>;
}

const empty = {
  timestamp: 0n,
  action: '',
  username: '',
  ip: '',
  role: '',
};

/** The calls of a notifier plugin. */
export function notifierCalls(run: Run): NotifierCalls {
  return {
    async fsEvent(event) {
      const defaults: FsEvent = {
        ...empty,
        fsPath: '',
        fsTargetPath: '',
        sshCmd: '',
        fileSize: 0n,
        protocol: '',
        status: 0,
        virtualPath: '',
        virtualTargetPath: '',
        sessionId: '',
        fsProvider: 0,
        bucket: '',
        endpoint: '',
        openFlags: 0,
        elapsed: 0n,
        metadata: {},
      };
      outputOf(await run('SendFsEvent', { ...defaults, ...event }));
    },
    async providerEvent(event) {
      const defaults: ProviderEvent = {
        ...empty,
        objectType: '',
        objectName: '',
        objectData: new Uint8Array(),
      };
      outputOf(await run('SendProviderEvent', { ...defaults, ...event }));
    },
    async logEvent(event) {
      const { action: _, ...shared } = empty;
      const defaults: LogEvent = { ...shared, event: 0, protocol: '', message: '' };
      outputOf(await run('SendLogEvent', { ...defaults, ...event }));
    },
  };
}

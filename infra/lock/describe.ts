import type { OpenedLock } from '../../proto/lock/open.ts';
import type { AcceptedVersion, LockedFunction } from '../../proto/lock/schema.ts';
import { keyidsOf, printable, short, valueText } from './text.ts';

/** A lock for people: `lock show`. `seal` says in words how far its seal was checked. */
export async function describeLock(place: string, opened: OpenedLock, seal: string): Promise<string> {
  const { lock, digest, signers } = opened;
  const lines = [
    `${place}: seq ${lock.seq}, content ${short(digest)}`,
    `  issued   ${lock.issued}`,
    `  expires  ${lock.expires ?? 'never'}`,
    `  sealed   ${signers.join(', ')} (${seal})`,
  ];
  for (const [name, fn] of Object.entries(lock.functions).sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push('', ...(await describeFunction(name, fn)));
  }
  return lines.join('\n');
}

/** What a lock says of one function, a line each; the first one is its heading. */
export async function describeFunction(name: string, fn: LockedFunction): Promise<string[]> {
  const { type, target, address, handles, accepts } = fn;
  return [
    `${name}: ${type}, ${target}`,
    `  address  ${printable(address)}`,
    `  handles  ${handles.map(printable).join(', ')}`,
    ...accepts.flatMap(describeVersion),
    ...(await keyidsOf(fn)).map((keyid) => `  key      ${keyid}`),
  ];
}

function describeVersion({ version, files, config, inputs }: AcceptedVersion): string[] {
  const packages = Object.keys(inputs).length;
  return [
    `  version  ${short(version)}, ${packages} package${packages === 1 ? '' : 's'}`,
    ...Object.entries(files).map(([name, digest]) => `    file   ${printable(name)} ${short(digest)}`),
    ...Object.entries(config).map(
      ([field, value]) => `    config ${printable(field)}: ${short(valueText(value))}`,
    ),
  ];
}

import type { PublicJwk } from '../../proto/keys/jwk.ts';
import type { AcceptedVersion, LockedFunction } from '../../proto/lock/schema.ts';
import type { BuildManifest } from '../build/manifest.ts';
import type { CloudTarget, ProjectFunction } from './project.ts';

/** One function on its way into a cloud. */
export interface DeployFunction extends ProjectFunction {
  /** The folder with its artifacts; their digests equal the manifest's, which the flow has checked. */
  readonly builtIn: string;
  readonly manifest: BuildManifest;
  /** Its entry in the lock so far; undefined before its first deployment. Its keys are those that were placed. */
  readonly locked: LockedFunction | undefined;
}

/** What {@link Cloud.publish} made sure of. */
export interface Published {
  /** lambda: ARN without version; worker: URL. */
  readonly address: string;
  /** The version as the lock accepts it: the built files, and the configuration as it was read back. */
  readonly accepted: AcceptedVersion;
  /** Public parts of the keys that the function signs with: more than one while a key is being changed. */
  readonly keys: readonly PublicJwk[];
}

/** A version that gets calls, and its share of them in per cent. */
export interface Traffic {
  readonly version: string;
  readonly percent: number;
}

/** One line of progress for the reader: what is about to be done, or was done. */
export type Report = (line: string) => void;

/**
 * What `deploy` and `rollback` need of a cloud. There is no state file: each step looks at what the cloud has, so a
 * step that was interrupted is simply done again.
 */
export interface Cloud {
  readonly target: CloudTarget;
  /** For --dry-run: what {@link publish} would do, a line each. Changes nothing. */
  plan(fn: DeployFunction): Promise<readonly string[]>;
  /**
   * Before anything is changed: looks for what would make publishing fail or harm what the lock accepts, in the settings
   * of all functions that are to be published and in what the cloud has. Changes nothing.
   */
  prepare?(functions: readonly DeployFunction[]): Promise<void>;
  /**
   * Makes sure that the function has its key, uploads exactly the built bytes, reads the new version back and compares
   * it, code and configuration. No call goes to the version yet. The same bytes and settings again give the same
   * version.
   *
   * Throws DRIFT when what is read back is not what was built, TOOL_MISSING, UNREACHABLE (three messages: cannot be
   * reached, throttled, forbidden), CONFIG_INVALID for settings that no function may have.
   */
  publish(fn: DeployFunction, report: Report): Promise<Published>;
  /**
   * Makes the address of an entry answer as well, beside the one that the lock has of the same place. Before the new lock
   * is written; no call moves from one version to another. A cloud in which the address is the place has none.
   */
  addAddress?(fn: DeployFunction, entry: LockedFunction, report: Report): Promise<void>;
  /**
   * For `rollback`: reads an older version back and compares it with what a lock says of it.
   *
   * Throws DRIFT when it is gone or differs, naming the field.
   */
  readBack(fn: ProjectFunction, locked: LockedFunction, accepted: AcceptedVersion): Promise<void>;
  /**
   * Which keys of an entry a version signs with, as far as can be told; else all of them. Changes nothing.
   *
   * Throws DRIFT when it is none of them, UNREACHABLE.
   */
  keysOf(
    fn: ProjectFunction,
    locked: LockedFunction,
    accepted: AcceptedVersion,
    report: Report,
  ): Promise<LockedFunction['keys']>;
  /**
   * Gives the traffic to a version: the alias `live` of a Lambda function, the deployment of a Worker. `percent`: the
   * share of it, 100 when absent; the rest stays where it is. Doing it again changes nothing.
   */
  shift(
    fn: ProjectFunction,
    locked: LockedFunction,
    version: string,
    options: { readonly percent?: number; readonly report: Report },
  ): Promise<void>;
  /** What gets calls now; empty before the first {@link shift}. */
  traffic(fn: ProjectFunction, locked: LockedFunction): Promise<readonly Traffic[]>;
}

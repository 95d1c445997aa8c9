import { defaults, lambdaConfig } from '../../../adapter/targets/lambda/configuration.ts';
import { PluginError } from '../../../proto/error.ts';
import { parseLambdaAddress } from '../../../proto/lock/lambda-address.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { acceptedLambda } from '../../build/manifest.ts';
import type { Cloud, DeployFunction, Report } from '../cloud.ts';
import { aliasTraffic, moveAlias } from './alias.ts';
import { type AwsClients, openAwsClients } from './clients.ts';
import { ensureKey, findKey, hasKey, keysOfVersion } from './key.ts';
import { checkRename, lockedHere, unqualified } from './locked.ts';
import { deployService, type OslsOptions, type Packaged, packageService } from './osls.ts';
import { checkOwnKey } from './own-keys.ts';
import { type PlannedFunction, plannedFunction } from './template.ts';
import { checkReadBack, checkVersion, ensureVersion, readConfiguration } from './versions.ts';

/**
 * AWS Lambda: osls deploys the stack of serverless.yml with the zips that were built; keys, read-back and the alias
 * are done here, with the AWS SDK of the author's project.
 *
 * The stack is one: it is packaged and deployed once a run, whichever functions were asked for. Only these get into
 * the lock; of the others at most a new version waits that nobody calls.
 */
export function openLambdaCloud(options: OslsOptions): Cloud {
  let packaging: Promise<Packaged> | undefined;
  let deploying: Promise<void> | undefined;
  const clients = new Map<string, AwsClients>();

  function clientsOf(region: string): AwsClients {
    const open = clients.get(region) ?? openAwsClients(options.folder, region);
    clients.set(region, open);
    return open;
  }
  async function planned(
    fn: DeployFunction,
  ): Promise<{ aws: AwsClients; packaged: Packaged; plan: PlannedFunction }> {
    packaging ??= packageService(options);
    const packaged = await packaging;
    return { aws: clientsOf(packaged.region), packaged, plan: plannedFunction(packaged, fn) };
  }
  const located = (locked: LockedFunction) => {
    const address = parseLambdaAddress(locked.address);
    if ('region' in address) return { aws: clientsOf(address.region), name: address.name };
    throw new PluginError('LOCK_INVALID', {
      happened: 'the address in the lock is no Lambda function',
      expected: address.problem.replace(/^expected /, ''),
      remedy: 'Deploy the function again.',
    });
  };

  return {
    target: 'lambda',

    async plan(fn) {
      const { aws, plan } = await planned(fn);
      const found = await readConfiguration(aws, plan.functionName);
      const key = (await hasKey(aws, plan.keyParameter)) ? 'is there' : 'would be made';
      const code = found?.CodeSha256 === plan.codeSha256 ? 'has this code' : 'would get this code';
      return [
        `key ${plan.keyParameter} ${key}`,
        found === undefined
          ? `function ${plan.functionName} would be made by the stack`
          : `function ${plan.functionName} ${code}`,
        `code sha256 ${plan.codeSha256}`,
        ...Object.entries(plan.config)
          .filter(([field, value]) => defaults[field] !== value)
          .map(([field, value]) => `${field} = ${value}`),
      ];
    },

    async prepare(functions) {
      for (const fn of functions) {
        const { aws, packaged, plan } = await planned(fn);
        checkOwnKey(packaged, plan);
        await checkRename(aws, packaged, plan, fn);
        const locked = await lockedHere(aws, plan, fn.locked);
        if (locked !== undefined) await findKey(aws, { ...fn, locked }, plan.keyParameter);
      }
    },

    async publish(fn: DeployFunction, report: Report) {
      const { aws, packaged, plan } = await planned(fn);
      const locked = await lockedHere(aws, plan, fn.locked);
      const keys = await ensureKey(aws, { ...fn, locked }, plan.keyParameter, report);
      deploying ??= deployService(packaged, options, report);
      await deploying;
      const found = await ensureVersion(aws, plan);
      const accepted = { ...acceptedLambda(fn.manifest, found.Version), config: lambdaConfig(found) };
      checkReadBack(fn.id, accepted, found, plan);
      report(`${fn.id}: version ${found.Version} was read back: code and configuration are what was built`);
      return { address: unqualified(found.FunctionArn ?? ''), accepted, keys };
    },

    async readBack(fn, locked, accepted) {
      const { aws, name } = located(locked);
      const found = await readConfiguration(aws, name, accepted.version);
      if (found !== undefined) return checkVersion(fn.id, accepted, found);
      throw new PluginError('DRIFT', {
        happened: `AWS has no version ${accepted.version} of ${fn.id} any more`,
        expected: 'the version of that lock',
        remedy: 'Build and deploy that code again.',
      });
    },

    async keysOf(fn, locked, accepted, report) {
      return await keysOfVersion(located(locked).aws, fn.id, locked, accepted, report);
    },

    async shift(_fn, locked, version, { percent, report }) {
      const { aws, name } = located(locked);
      await moveAlias(aws, name, version, { percent, report });
    },

    async traffic(_fn, locked) {
      const { aws, name } = located(locked);
      return await aliasTraffic(aws, name);
    },
  };
}

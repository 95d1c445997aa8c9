import type { Mutation } from './mutation.ts';

const handler = 'functions/kit/lambda.test.ts';
const address = 'proto/lock/lambda-address.test.ts';
const targets = 'infra/build/targets.test.ts';
const event = 'adapter/targets/lambda/event.test.ts';
const evidence = 'adapter/targets/lambda/evidence.test.ts';
const failure = 'adapter/targets/lambda/failure.test.ts';
const target = 'adapter/targets/lambda/index.test.ts';
const environment = 'adapter/targets/lambda/environment.test.ts';

/** One defect for each check of the Lambda target, the handler, the zip and the lock's entry. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/targets/lambda/evidence.ts',
    text: 'if (found === wanted) return;',
    replacement: 'if (found !== "") return;',
    tests: [evidence],
    why: 'other code under the locked version gets the users that are sent to it',
  },
  {
    file: 'adapter/targets/lambda/evidence.ts',
    text: "if (pin === pinned && answer.executed === pin) return 'platform';",
    replacement: "if (pin === pinned) return 'platform';",
    tests: [evidence],
    why: 'the version that AWS ran is not compared',
  },
  {
    file: 'adapter/targets/lambda/evidence.ts',
    text: "if (pin === pinned && answer.executed === pin) return 'platform';",
    replacement: "if (answer.executed === pin) return 'platform';",
    tests: [evidence],
    why: 'a version whose code was not compared counts as proved',
  },
  {
    file: 'adapter/targets/lambda/evidence.ts',
    text: 'await untilAborted(checked(), signal, name);',
    replacement: 'void checked().catch(() => undefined);',
    tests: [evidence],
    why: 'a call is sent before its code is proved',
  },
  {
    file: 'adapter/targets/lambda/evidence.ts',
    text: 'if (zip !== undefined && others.length === 0)',
    replacement: 'if (zip !== undefined)',
    tests: [evidence],
    why: 'an entry with two zips counts by whichever comes first',
  },
  {
    file: 'adapter/targets/lambda/evidence.ts',
    text: 'running.catch(() => setTimeout(() => (check = undefined), failureMs).unref());',
    replacement: 'running.catch(() => undefined);',
    tests: [evidence],
    why: 'service does not return when a deployment is mended',
  },
  {
    file: 'adapter/targets/lambda/deployed.ts',
    text: "if (found.Version === version) return found.CodeSha256 ?? '';",
    replacement: "return found.CodeSha256 ?? '';",
    tests: [target],
    why: 'an endpoint that ignores the qualifier shows the code of another version',
  },
  {
    file: 'adapter/targets/lambda/send.ts',
    text: '    Qualifier: version,\n',
    replacement: '',
    tests: [target],
    why: '$LATEST is called instead of the locked version',
  },
  {
    file: 'adapter/targets/lambda/send.ts',
    text: 'if (output.FunctionError !== undefined) throw',
    replacement: 'if (false) throw',
    tests: [target],
    why: 'the payload of a failure counts as an answer',
  },
  {
    file: 'adapter/targets/lambda/client.ts',
    text: 'maxAttempts: 1,',
    replacement: '',
    tests: [target],
    why: 'the SDK sends a login twice',
  },
  {
    file: 'adapter/targets/lambda/failure.ts',
    text: "return name === 'TimeoutError' && message.includes('did not establish a connection');",
    replacement: "return name === 'TimeoutError';",
    tests: [failure],
    why: 'a connection that broke after the request counts as never sent, and a login runs twice',
  },
  {
    file: 'adapter/targets/lambda/failure.ts',
    text: "const type = typeof errorType === 'string' && /^[\\w.]{1,64}$/.test(errorType) ? errorType : 'unknown error';",
    replacement: 'const type = String(errorType);',
    tests: [failure],
    why: "what the author's code throws gets into the log of the host",
  },
  {
    file: 'adapter/targets/lambda/event.ts',
    text: 'if (event.byteLength < maxEventBytes) return event;',
    replacement: 'return event;',
    tests: [event],
    why: 'a request that Lambda refuses is uploaded first',
  },
  {
    file: 'adapter/targets/lambda/event.ts',
    text: "    bytes.toString('base64') !== body ||\n",
    replacement: '',
    tests: [event],
    why: 'two texts of an answer count as the same bytes',
  },
  {
    file: 'adapter/targets/lambda/environment.ts',
    text: "if (name.startsWith('AWS_') && env[name] === '') delete env[name];",
    replacement: '',
    tests: [environment],
    why: 'an empty AWS_PROFILE, as SFTPGo hands it on, breaks every call',
  },
  {
    file: 'adapter/targets/lambda/settings.ts',
    text: "exposure: 'secret',",
    replacement: "exposure: 'public',",
    tests: [target],
    why: 'AWS keys that everybody on the host can read are used without a word',
  },
  {
    file: 'proto/lock/schema.ts',
    text: 'if (/^[1-9]\\d{0,18}$/.test(version)) continue;',
    replacement: 'continue;',
    tests: [address],
    why: 'a lock names $LATEST, which is other code tomorrow',
  },
  {
    file: 'proto/lock/lambda-address.ts',
    text: '[A-Za-z0-9_-]{1,64})$/',
    replacement: '[A-Za-z0-9_-]{1,64})/',
    tests: [address],
    why: 'an address with a version or an alias of its own',
  },
  {
    file: 'functions/kit/lambda.ts',
    text: 'lambdaOrigin(context.functionName, context.functionVersion)',
    replacement: "lambdaOrigin(context.functionName, '7')",
    tests: [handler],
    why: 'a call for one version is answered by another',
  },
  {
    file: 'functions/kit/lambda.ts',
    text: 'lambdaOrigin(context.functionName, context.functionVersion)',
    replacement: "lambdaOrigin('office', context.functionVersion)",
    tests: [handler],
    why: 'a call for one function is answered by another',
  },
  {
    file: 'functions/kit/lambda.ts',
    text: 'const { PLUGIN_KEY: _, PLUGIN_URL: __, ...rest } = environment;',
    replacement: 'const { PLUGIN_URL: __, ...rest } = environment;',
    tests: [handler],
    why: 'a private key in a variable works, and whoever reads the configuration has it',
  },
  {
    file: 'functions/kit/lambda.ts',
    text: 'const { PLUGIN_KEY: _, PLUGIN_URL: __, ...rest } = environment;',
    replacement: 'const { PLUGIN_KEY: _, ...rest } = environment;',
    tests: [handler],
    why: "a setting replaces the identity that Lambda's context gives",
  },
  {
    file: 'functions/kit/lambda.ts',
    text: 'await settled(background, deadlineMs);',
    replacement: '',
    tests: [handler],
    why: 'background work freezes with the process',
  },
  {
    file: 'functions/kit/lambda-event.ts',
    text: "if (bytes.toString('base64') !== body) return undefined;",
    replacement: '',
    tests: [handler],
    why: 'two texts of a request count as the same bytes',
  },
  {
    file: 'functions/kit/lambda-event.ts',
    text: "if (version !== '2.0' || method !== 'POST' || rawQueryString !== '') return undefined;",
    replacement: "if (method !== 'POST' || rawQueryString !== '') return undefined;",
    tests: [handler],
    why: 'events of another format are guessed at',
  },
  {
    file: 'functions/kit/serve.ts',
    text: 'incoming.platform?.deadlineMs ?? Number.POSITIVE_INFINITY',
    replacement: 'Number.POSITIVE_INFINITY',
    tests: [handler],
    why: 'Lambda kills a call that could have been answered, signed, before',
  },
  {
    file: 'functions/kit/ssm-parameter.ts',
    text: "if (url?.pathname === '/' && ",
    replacement: 'if (url !== undefined && ',
    tests: [handler],
    why: 'a setting sends the request for the key to a path of its choice',
  },
  {
    file: 'infra/build/zip.ts',
    text: 'const mtime = new Date(1980, 0, 1);',
    replacement: 'const mtime = new Date(Date.UTC(1980, 0, 2));',
    tests: [targets],
    why: 'the zip of one source differs by time zone, and nobody can build it again',
  },
];

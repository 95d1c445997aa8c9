/**
 * What the adapter uses of the AWS SDK. A module of its own, so that one `import()` after the handshake line loads
 * it and the bundler drops the rest: an `import()` of the packages themselves would keep every operation of Lambda.
 */
export { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
export { fromIni, fromTemporaryCredentials } from '@aws-sdk/credential-providers';

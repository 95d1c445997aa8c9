/**
 * go-plugin in TypeScript, both sides: see README.md.
 */
export { GrpcError, grpcStatus, hasGrpcCode } from './grpc-error.ts';
export type { CallOptions, CallResult } from './host/channel.ts';
export { checkExecutable } from './host/checksum.ts';
export { type LaunchOptions, launch, type PluginClient } from './host/launch.ts';
export type { ExitStatus } from './host/plugin-process.ts';
export type { LogListener } from './host/stderr.ts';
export { type Certificate, type CertificateOptions, createCertificate } from './server/certificate.ts';
export { checkCookie, type MagicCookie } from './server/cookie.ts';
export type { Environment } from './server/environment.ts';
export { type HclogOptions, HclogWriter } from './server/hclog.ts';
export type { LogFields, LogLevel } from './server/log-line.ts';
export type { LogSink } from './server/log-queue.ts';
export { type OwnProcessOptions, ownProcess, type ProcessOwner } from './server/process/own-process.ts';
export { type EndReason, type PluginServer, type ServeOptions, serve } from './server/serve.ts';
export { type Handlers, implement, type ServiceImplementation, type UnaryCall } from './server/service.ts';

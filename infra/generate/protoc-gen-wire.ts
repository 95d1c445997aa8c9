/**
 * A protoc plugin (https://protobuf.com/docs/descriptors#protoc-plugins): reads a CodeGeneratorRequest from stdin
 * and answers with `wire.ts`. buf starts it, see buf.gen.yaml.
 */
import { buffer } from 'node:stream/consumers';
import { create, createFileRegistry, type DescFile, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { wireModule } from './wire-module.ts';

const request = fromBinary(CodeGeneratorRequestSchema, await buffer(process.stdin));
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
const files: DescFile[] = request.fileToGenerate
  .filter((name) => /^(?:sftpgo|bans)\//.test(name))
  .sort()
  .map((name) => {
    const file = registry.getFile(name);
    if (!file) throw new Error(`${name} is not in the request`);
    return file;
  });
const response = create(CodeGeneratorResponseSchema, {
  supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
  file: [{ name: 'wire.ts', content: wireModule(files) }],
});
process.stdout.write(toBinary(CodeGeneratorResponseSchema, response));

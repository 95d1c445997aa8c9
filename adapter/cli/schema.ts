import { Command } from 'commander';
import { configJsonSchema } from '../config/schema.ts';
import { print } from './output.ts';

/** `schema`: the JSON Schema of the host configuration, for editors. */
export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of the host configuration')
    .action(() => print(JSON.stringify(configJsonSchema(), undefined, 2)));
}

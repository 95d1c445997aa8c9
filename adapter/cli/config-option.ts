import { Option } from 'commander';

/** The option that every command reading the host's configuration has. */
export function configOption(): Option {
  return new Option('--config <path>', 'host configuration')
    .env('SFTPGO_PLUGIN_SERVERLESS_CONFIG')
    .default('/etc/sftpgo/serverless.yaml');
}

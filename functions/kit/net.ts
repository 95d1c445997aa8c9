/** Addresses and networks for authors: `sftpgo-plugin-serverless/kit/net`. */
export { type Networks, networks } from '../../proto/net/networks.ts';

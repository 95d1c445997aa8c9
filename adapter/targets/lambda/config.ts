import * as z from 'zod';
import { normaliseAddress } from '../../../proto/lock/address.ts';
import { duration } from '../../config/units.ts';

const text = z.string().min(1);

/** An https endpoint, or http on this machine: requests carry users' data. */
const endpoint = text.transform((given, context) => {
  const address = normaliseAddress(given);
  if ('href' in address) return address.href;
  context.addIssue({ code: 'custom', message: address.problem });
  return z.NEVER;
});

/**
 * The `aws` key of the host's configuration: with what credentials the adapter calls Lambda. Without it, those of
 * the machine are used: environment variables if the host hands them on, else the role of the EC2 instance, the ECS
 * task or the Kubernetes service account.
 */
export const awsConfig = z
  .strictObject({
    region: text
      .regex(/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/, 'expected a region: eu-central-1')
      .optional()
      .describe('Where `role` is assumed (STS); default: the region of each function, which its ARN names.'),
    credentialsFile: text
      .optional()
      .describe('File of profiles, as ~/.aws/credentials; not readable by others.'),
    profile: text.optional().describe('Profile of that file, or of ~/.aws; default: default.'),
    role: text
      .regex(/^arn:aws(-[a-z-]+)?:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'expected the ARN of a role')
      .optional()
      .describe('Role to assume with these credentials.'),
    externalId: text.optional().describe('External id that the role demands.'),
    endpoint: endpoint.optional().describe('Address of the Lambda API: a VPC endpoint.'),
    watch: duration({ minMs: 1000, maxMs: 900_000 })
      .optional()
      .describe('How often what is deployed is compared with the lock; default: 60s.'),
    stsEndpoint: endpoint.optional().describe('Address of STS, for `role`: a VPC endpoint.'),
  })
  .describe('How functions on AWS Lambda are reached.');

export type AwsConfig = z.infer<typeof awsConfig>;

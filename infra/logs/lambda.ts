import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { awsErrorName, awsFailure } from '../deploy/lambda/failure.ts';
import { loadTool } from '../deploy/tool.ts';
import type { LogLine, LogSource } from './line.ts';

type Sdk = typeof import('@aws-sdk/client-cloudwatch-logs');

/** 10,000 lines each: CloudWatch gives up to 1 MB at once. */
const maxPages = 100;

/** Lines that Lambda itself writes around each call, and that say nothing of it. */
const frame = /^(?:START|END) RequestId: /;

/**
 * What a Lambda function wrote, by CloudWatch Logs: `logs:FilterLogEvents` on its group `/aws/lambda/NAME`. A group that
 * is not there yet has no lines: Lambda makes it at the first call.
 *
 * `folder` has the AWS SDK of the author's project. Throws TOOL_MISSING without it.
 */
export function lambdaLogs(
  name: string,
  lambda: { readonly name: string; readonly region: string },
  folder: string,
): LogSource {
  const { CloudWatchLogsClient: Client, FilterLogEventsCommand } = loadTool<Sdk>(
    folder,
    '@aws-sdk/client-cloudwatch-logs',
  );
  const client: CloudWatchLogsClient = new Client({ region: lambda.region, maxAttempts: 4 });
  const logGroupName = `/aws/lambda/${lambda.name}`;
  return {
    function: name,
    async read(startTime, endTime) {
      const lines: LogLine[] = [];
      let nextToken: string | undefined;
      for (let page = 0; page < maxPages; page += 1) {
        const command = new FilterLogEventsCommand({ logGroupName, startTime, endTime, nextToken });
        const answer = await client.send(command).catch((error: unknown) => {
          if (awsErrorName(error) === 'ResourceNotFoundException') return undefined;
          throw awsFailure(error, `logs:FilterLogEvents on ${logGroupName}`, lambda.region);
        });
        for (const { eventId = '', timestamp = 0, message = '' } of answer?.events ?? []) {
          if (frame.test(message)) continue;
          lines.push({ atMs: timestamp, function: name, id: eventId, text: message });
        }
        nextToken = answer?.nextToken;
        if (nextToken === undefined) break;
      }
      return lines;
    },
  };
}

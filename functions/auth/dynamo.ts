/**
 * Users of {@link authUsers} in DynamoDB. Subpath `sftpgo-plugin-serverless/functions/auth/dynamo`.
 */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { lazyClient } from '../dynamo/client.ts';
import { onTable } from '../dynamo/failure.ts';
import { type TableOptions, tableName } from '../dynamo/options.ts';
import { type Context, FunctionError } from '../kit/index.ts';
import type { UserStore } from './store.ts';
import { usersTable, usersTableVariable } from './tables.ts';
import { parseStoredUser } from './user.ts';

export { usersTable } from './tables.ts';

/** Attributes of a user; others of the item are not read, so that a table may hold more. */
const attributes = ['username', 'password', 'publicKeys', 'tls', 'totp', 'settings', 'disabled'] as const;

/**
 * A store in DynamoDB: one item a user, its key `username`. One-time codes are burnt in the table (attribute
 * `totpStep`), so a code is good once however many copies of the function run. Needs dynamodb:GetItem and
 * dynamodb:UpdateItem.
 *
 * ```ts
 * import { authUsers } from 'sftpgo-plugin-serverless/functions/auth';
 * import { dynamoUsers } from 'sftpgo-plugin-serverless/functions/auth/dynamo';
 *
 * export default authUsers({ users: dynamoUsers() });
 * ```
 */
export function dynamoUsers(options: TableOptions = {}): UserStore {
  const client = lazyClient(options);
  const tableOf = ({ env }: Context) => tableName(options, env, usersTableVariable, usersTable.TableName);
  return {
    async find(username, context) {
      const table = tableOf(context);
      const { Item: item } = await onTable(table, context.log, () =>
        client().send(
          new GetCommand({
            TableName: table,
            Key: { username },
            ConsistentRead: true,
            ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
            ProjectionExpression: attributes.map((name) => `#${name}`).join(),
          }),
          { abortSignal: context.signal },
        ),
      );
      if (item === undefined) return undefined;
      const { settings, ...rest } = item;
      // settings keep their digits: SFTPGo's sizes are 64 bit
      const user = parseStoredUser({
        ...(plain(rest) as object),
        ...(settings === undefined ? {} : { settings: plain(settings, (digits) => digits) }),
      });
      if (!('problem' in user)) return user;
      context.log.error('a user of the table cannot be used', { table, username, problem: user.problem });
      throw new FunctionError(
        'failed_precondition',
        'the user cannot be used; the log of the function says why',
      );
    },
    async burn(username, step, context) {
      const table = tableOf(context);
      return await onTable(table, context.log, async () => {
        try {
          await client().send(
            new UpdateCommand({
              TableName: table,
              Key: { username },
              UpdateExpression: 'SET totpStep = :step',
              ConditionExpression:
                'attribute_exists(username) AND (attribute_not_exists(totpStep) OR totpStep < :step)',
              ExpressionAttributeValues: { ':step': step },
            }),
            { abortSignal: context.signal },
          );
          return true;
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return false;
          throw error;
        }
      });
    },
  };
}

/** An attribute as JSON would have it: sets as lists, numbers as `number` makes them of bigints. */
function plain(value: unknown, number: (digits: bigint) => unknown = Number): unknown {
  if (typeof value === 'bigint') return number(value);
  if (value instanceof Set) return [...value].map((each) => plain(each, number));
  if (Array.isArray(value)) return value.map((each) => plain(each, number));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner, number)]));
}

/**
 * The table of users, as DynamoDB's CreateTable takes it; plain data, for whatever creates tables.
 * docs/auth-function.md lists the attributes of a user.
 */
export const usersTable = {
  TableName: 'sftpgo-users',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'username', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'username', KeyType: 'HASH' }],
} as const;

/** The variable with the table's name. */
export const usersTableVariable = 'USERS_TABLE';

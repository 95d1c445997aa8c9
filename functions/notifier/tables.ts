/**
 * The events table, as DynamoDB's CreateTable takes it; plain data, for whatever creates tables. Turn on time to
 * live for {@link eventsTtl} if events are to go after their retention. docs/events.md explains the keys.
 */
export const eventsTable = {
  TableName: 'sftpgo-events',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'day', AttributeType: 'S' },
    { AttributeName: 'id', AttributeType: 'S' },
    { AttributeName: 'by_user', AttributeType: 'S' },
    { AttributeName: 'by_ip', AttributeType: 'S' },
    { AttributeName: 'by_role', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'day', KeyType: 'HASH' },
    { AttributeName: 'id', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-user',
      KeySchema: [
        { AttributeName: 'by_user', KeyType: 'HASH' },
        { AttributeName: 'id', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
    {
      IndexName: 'by-ip',
      KeySchema: [
        { AttributeName: 'by_ip', KeyType: 'HASH' },
        { AttributeName: 'id', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
    {
      IndexName: 'by-role',
      KeySchema: [
        { AttributeName: 'by_role', KeyType: 'HASH' },
        { AttributeName: 'id', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
} as const;

/** The attribute that holds an item's end, in Unix seconds. */
export const eventsTtl = { AttributeName: 'expires_at', Enabled: true } as const;

/** The variable with the table's name, and every name a function of events reads. */
export const eventsTableVariable = 'EVENTS_TABLE';

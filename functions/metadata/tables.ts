/**
 * The table of modification times, as DynamoDB's CreateTable takes it; plain data, for whatever creates tables.
 * docs/metadata.md explains the keys.
 */
export const metadataTable = {
  TableName: 'sftpgo-metadata',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'place', AttributeType: 'S' },
    { AttributeName: 'name', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'place', KeyType: 'HASH' },
    { AttributeName: 'name', KeyType: 'RANGE' },
  ],
} as const;

/** The variable with the table's name. */
export const metadataTableVariable = 'METADATA_TABLE';

import { dynamoUsers } from './dynamo.ts';
import { authUsers } from './index.ts';

/** Users in the DynamoDB table that the variable USERS_TABLE names: what serverless.yml deploys to Lambda. */
export default authUsers({ users: dynamoUsers() });

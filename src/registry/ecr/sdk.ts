/** What the back end uses of AWS's SDK. To be imported when the first account needs it: it is larger than all of the operator. */
export { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
export {
  ECRPUBLICClient,
  GetAuthorizationTokenCommand as GetPublicAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr-public';
export { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
export { fromHttp, fromTokenFile } from '@aws-sdk/credential-providers';

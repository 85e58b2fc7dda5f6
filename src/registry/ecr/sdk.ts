/** What the back end uses of AWS's SDK. Import it only when an account needs it: it is larger than the rest of the operator. */
export { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
export {
  ECRPUBLICClient,
  GetAuthorizationTokenCommand as GetPublicAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr-public';
export { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
export { fromHttp, fromTokenFile } from '@aws-sdk/credential-providers';

import { KMSClient } from '@aws-sdk/client-kms';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { AllowedKeyUrl } from './allowed.ts';

/** SFTPGo waits 20 s at most; a connection that takes this long does not come, in ms. */
const connectionTimeoutMs = 2000;

/** One client for each place that the allow-lists permit, made at its first use; connections are kept. */
export function kmsClients(): (url: AllowedKeyUrl) => KMSClient {
  const clients = new Map<string, KMSClient>();
  return (url) => {
    const key = JSON.stringify([url.region, url.endpoint, url.profile, url.role, url.fips, url.dualstack]);
    let client = clients.get(key);
    if (client === undefined) {
      client = newClient(url);
      clients.set(key, client);
    }
    return client;
  };
}

function newClient({ region, endpoint, profile, role, fips, dualstack }: AllowedKeyUrl): KMSClient {
  const credentials =
    role === undefined
      ? {}
      : {
          credentials: fromTemporaryCredentials({
            params: { RoleArn: role, RoleSessionName: 'sftpgo-kms' },
            clientConfig: { region, ...(profile === undefined ? {} : { profile }) },
          }),
        };
  return new KMSClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    ...credentials,
    useFipsEndpoint: fips,
    useDualstackEndpoint: dualstack,
    // the adapter retries a call as a whole; this is for a connection that was closed while it was kept
    maxAttempts: 2,
    requestHandler: { connectionTimeout: connectionTimeoutMs },
  });
}

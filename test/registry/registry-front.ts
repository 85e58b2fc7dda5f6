import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the front does to who knocks at `/v2/`; everything else goes through. */
export type Mood = 'well' | 'slow' | 'html' | 'without a realm' | 'without a service';

export interface RegistryFront {
  /** Host and port, as they stand in image names. */
  host: string;
  mood: Mood;
  close(): Promise<void>;
}

/** A proxy in front of a registry, in whatever mood a test wants it. */
export async function startFront(registry: string): Promise<RegistryFront> {
  const [hostname, port] = registry.split(':');
  const server = createServer((incoming, response) => {
    const hidesService = front.mood === 'without a service';
    if (incoming.url === '/v2/' && front.mood !== 'well' && !hidesService) {
      if (front.mood === 'html') {
        response.writeHead(502, { 'content-type': 'text/html' }).end('<html><body>Bad Gateway</body></html>');
      } else if (front.mood === 'without a realm') {
        response.writeHead(401, { 'www-authenticate': 'Bearer service="registry"' }).end();
      }
      // Slow: never.
      return;
    }
    const { method, url, headers } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers }, (answer) => {
      const { 'www-authenticate': challenge, ...others } = answer.headers;
      const shown = hidesService ? challenge?.replace(/,service="[^"]*"/, '') : challenge;
      response.writeHead(answer.statusCode ?? 502, {
        ...others,
        ...(shown !== undefined && { 'www-authenticate': shown }),
      });
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front: RegistryFront = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    mood: 'well',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return front;
}

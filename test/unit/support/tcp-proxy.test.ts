import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { createSelfSigned } from '../../../sandbox/self-signed-certificate.ts';
import type { NetworkFault } from '../../support/proxied-connection.ts';
import { eventually } from '../../support/eventually.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { noTermination, TlsTermination, type Termination } from '../../support/tls-termination.ts';

/** Open sockets of this process, those of other tests included. */
const sockets = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;

/** Says back what it hears, and ends when the client does, unless asked to hold on. */
function echo(heard: string[]): (socket: Socket) => void {
  return (socket) => {
    socket.on('data', (chunk) => {
      heard.push(String(chunk));
      socket.write(chunk);
    });
    socket.on('end', () => {
      if (!heard.includes('hold on')) socket.end();
    });
    socket.on('error', () => undefined);
  };
}

interface Wire {
  serve: (connected: (socket: Socket) => void) => Server;
  termination: Termination;
  dial: (port: number) => Socket;
}

const plain: Wire = {
  serve: (connected) => createServer({ allowHalfOpen: true }, connected),
  termination: noTermination,
  dial: (port) => connect(port, '127.0.0.1'),
};

/** The proxy has a certificate of its own, and the server asks for the client's. */
async function tls(): Promise<Wire> {
  const now = Date.now();
  const [server, proxy, client] = [
    await createSelfSigned('server', now, ['server.test']),
    await createSelfSigned('proxy', now, ['proxy.test']),
    await createSelfSigned('client', now),
  ];
  const options = { key: server.key, cert: server.certificate, ca: client.certificate, requestCert: true };
  return {
    serve: (connected) => createTlsServer({ ...options, allowHalfOpen: true }, connected),
    termination: new TlsTermination(proxy, {
      ca: server.certificate,
      servername: 'server.test',
      key: client.key,
      cert: client.certificate,
    }),
    dial: (port) => connectTls({ port, host: '127.0.0.1', ca: proxy.certificate, servername: 'proxy.test' }),
  };
}

for (const [title, wire] of [
  ['TcpProxy', () => Promise.resolve(plain)],
  ['TcpProxy that terminates TLS', tls],
] as const)
  specify(title, wire);

function specify(title: string, wireOf: () => Promise<Wire>): void {
  describe(title, () => {
    let wire: Wire;
    let server: Server;
    let proxy: TcpProxy;
    let heard: string[];
    let accepted: Socket[];
    const clients: Socket[] = [];

    before(async () => {
      wire = await wireOf();
    });
    beforeEach(async () => {
      const echoing = echo((heard = []));
      accepted = [];
      server = wire
        .serve((socket) => {
          accepted.push(socket);
          echoing(socket);
        })
        .listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      proxy = await TcpProxy.start(`http://127.0.0.1:${port}`, wire.termination);
    });
    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      await proxy.close();
      server.close();
    });

    async function dial(): Promise<Socket> {
      const socket = wire.dial(Number(new URL(proxy.through('http://x')).port));
      clients.push(socket);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    }
    /** What comes back before the connection ends, and how it ends. */
    async function converse(message: string): Promise<string> {
      const socket = await dial();
      socket.end(message);
      return text(socket).catch((error: NodeJS.ErrnoException) => String(error.code));
    }
    /** Whether nothing comes within a moment. */
    async function silent(socket: Socket): Promise<boolean> {
      let heardSome = false;
      const hear = (): void => void (heardSome = true);
      for (const event of ['data', 'end', 'close']) socket.once(event, hear);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return !heardSome;
    }

    it('passes on bytes and ends both ways, and counts', async () => {
      expect(await converse('hello')).to.equal('hello');
      expect(proxy.counts).to.include({ accepted: 1, up: 5, down: 5 });
    });

    const faults: { fault: NetworkFault; seen: string; reaches: boolean }[] = [
      { fault: { kind: 'reset', direction: 'up' }, seen: 'ECONNRESET', reaches: false },
      { fault: { kind: 'reset', direction: 'down' }, seen: 'ECONNRESET', reaches: true },
      { fault: { kind: 'truncate', bytes: 2 }, seen: 'he', reaches: true },
      { fault: { kind: 'delay', milliseconds: 30 }, seen: 'hello', reaches: true },
    ];
    for (const { fault, seen, reaches } of faults) {
      it(`${JSON.stringify(fault)}: the client sees ${seen}, the server ${reaches ? 'all' : 'nothing'}`, async () => {
        proxy.add({ ...fault, times: 2 });
        expect(await converse('hello')).to.equal(seen);
        expect(heard.join('')).to.equal(reaches ? 'hello' : '');
        await proxy.heal();
        expect(await converse('again')).to.equal('again');
      });
    }

    it('strikes only the connections asked for, and as often as asked for', async () => {
      const only = (opening: Buffer): boolean => opening.includes('watch');
      proxy.add({ kind: 'reset', direction: 'up', only, times: 1 });
      expect(await converse('other')).to.equal('other');
      expect(await converse('a watch')).to.equal('ECONNRESET');
      expect(await converse('a watch')).to.equal('a watch');
    });

    it('answers requests itself, those asked for and as often as asked for', async () => {
      proxy.add({ kind: 'answer', to: /^GET \S+watch=true/, text: 'no', times: 1 });
      const request = (line: string): string => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`;
      const watch = request('GET /pods?watch=true');
      expect(await converse(request('GET /pods'))).to.equal(request('GET /pods'));
      expect(await converse('GET /pods?watch=true, as part of a body')).to.include('a body');
      expect(heard.splice(0)).to.have.length(2);
      expect(await converse(watch)).to.equal('no');
      expect(heard).to.deep.equal([]);
      expect(await converse(watch)).to.equal(watch);
      expect(proxy.counts.struck).to.equal(1);
    });

    it('black hole: silence, and no word of an end; healing helps new connections only', async () => {
      const lost = await dial();
      lost.write('before');
      await once(lost, 'data');
      proxy.add({ kind: 'black-hole' });
      lost.write('after');
      expect(await silent(lost)).to.equal(true);
      await proxy.heal();
      lost.end('more');
      expect(await silent(lost)).to.equal(true);
      expect(heard.join('')).to.equal('before');
      expect(await converse('new')).to.equal('new');
    });

    it('black hole one way: the other way still works', async () => {
      proxy.add({ kind: 'black-hole', direction: 'down' });
      const deaf = await dial();
      deaf.write('hello');
      expect(await silent(deaf)).to.equal(true);
      expect(heard.join('')).to.equal('hello');
    });

    it('refuses: open connections break, new ones fail, and it listens on the same port again', async () => {
      const open = await dial();
      open.write('hello');
      await once(open, 'data');
      const broken = new Promise((resolve) => open.once('close', resolve));
      await proxy.refuse();
      await broken;
      expect(await converse('x').catch((error: NodeJS.ErrnoException) => error.code)).to.equal(
        'ECONNREFUSED',
      );
      await proxy.heal();
      expect(await converse('back')).to.equal('back');
    });

    it('breaks connections that are closed one way too', async () => {
      const before = sockets();
      const half = await dial();
      half.write('hold on');
      await once(half, 'data');
      const [end] = accepted as [Socket];
      const ended = once(end, 'end');
      half.end();
      await ended;
      await proxy.close();
      for (const socket of [end, half]) socket.destroy();
      await eventually('the sockets are closed', () =>
        Promise.resolve(proxy.counts.open === 0 && sockets() <= before),
      );
    });

    it('forgets connections that have ended', async () => {
      await converse('hello');
      await eventually('it has none', () => Promise.resolve(proxy.counts.open === 0));
    });
  });
}

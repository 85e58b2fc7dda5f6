import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { NetworkFault } from '../../support/proxied-connection.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

/** Says back what it hears, and ends when the client does. */
function echoServer(heard: string[]): Server {
  return createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (chunk) => {
      heard.push(String(chunk));
      socket.write(chunk);
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined);
  });
}

describe('TcpProxy', () => {
  let server: Server;
  let proxy: TcpProxy;
  let heard: string[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    server = echoServer((heard = [])).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TcpProxy.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    server.close();
  });

  async function dial(): Promise<Socket> {
    const socket = connect(Number(new URL(proxy.through('http://x')).port), '127.0.0.1');
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
    expect(await converse('x').catch((error: NodeJS.ErrnoException) => error.code)).to.equal('ECONNREFUSED');
    await proxy.heal();
    expect(await converse('back')).to.equal('back');
  });

  it('forgets connections that have ended', async () => {
    await converse('hello');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(proxy.counts.open).to.equal(0);
  });
});

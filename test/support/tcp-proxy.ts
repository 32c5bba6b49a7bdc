import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

type Direction = 'toServer' | 'toClient';

/** A network between a client and a server that can be held up, cut, or led to another server. */
export class TcpProxy {
  /** Where new connections lead to, on this machine. */
  target: number;
  /** Bytes that have passed. */
  readonly passed: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly #allowed: Record<Direction, number> = { toServer: Infinity, toClient: Infinity };
  readonly #held: (() => void)[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets this many more bytes pass, and holds back what comes behind them. */
  stallAfter(direction: Direction, bytes: number): void {
    this.#allowed[direction] = bytes;
  }

  /** Something is held back. */
  get isStalled(): boolean {
    return this.#held.length > 0;
  }

  /** What was held back goes on its way. */
  resume(): void {
    this.#allowed.toServer = Infinity;
    this.#allowed.toClient = Infinity;
    for (const release of this.#held.splice(0)) release();
  }

  /** Breaks all connections, without a farewell. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.setNoDelay(true);
    }
    this.#pump(client, server, 'toServer');
    this.#pump(server, client, 'toClient');
  }

  #pump(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk: Buffer) => this.#pass(chunk, from, to, direction));
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  #pass(chunk: Buffer, from: Socket, to: Socket, direction: Direction): void {
    const free = chunk.subarray(0, Math.min(chunk.length, this.#allowed[direction]));
    this.#allowed[direction] -= free.length;
    this.passed[direction] += free.length;
    if (free.length > 0) to.write(free);
    if (free.length === chunk.length) return;
    from.pause();
    this.#held.push(() => {
      this.#pass(chunk.subarray(free.length), from, to, direction);
      from.resume();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

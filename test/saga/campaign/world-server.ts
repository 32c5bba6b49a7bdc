/** The world as other processes reach it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { FinalError } from 'eventsrc';
import type { Reconciled } from 'eventsrc';
import type { Call, Outside, Receipt } from './world.ts';

/** What is sent back: what was returned, or thrown. */
type Answer =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly message: string };

export class WorldServer implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(world: Outside): Promise<WorldServer> {
    const server = createServer(async (request, response) => {
      const asked = JSON.parse(await text(request)) as Call | { readonly ask: string };
      response.end(JSON.stringify(await answerOf(world, asked)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WorldServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function answerOf(world: Outside, asked: Call | { readonly ask: string }): Promise<Answer> {
  try {
    return { kind: 'returned', value: await ('ask' in asked ? world.ask(asked.ask) : world.call(asked)) };
  } catch (error) {
    return error instanceof FinalError ? { kind: 'refused' } : { kind: 'failed', message: String(error) };
  }
}

export class RemoteWorld implements Outside {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async call(call: Call): Promise<Receipt> {
    return (await this.#ask(call)) as Receipt;
  }

  async ask(key: string): Promise<Reconciled<Receipt>> {
    return (await this.#ask({ ask: key })) as Reconciled<Receipt>;
  }

  async #ask(asked: object): Promise<unknown> {
    const response = await fetch(this.#url, { method: 'POST', body: JSON.stringify(asked) });
    const answer = (await response.json()) as Answer;
    if (answer.kind === 'refused') throw new FinalError('refused');
    if (answer.kind === 'failed') throw new Error(answer.message);
    return answer.value;
  }
}

import { createServer, type Server, type Socket } from 'node:net';

/** A mail server that takes everything and delivers nothing. */
export class MailSink {
  /** Whole messages, headers included, as they came. */
  readonly messages: string[] = [];
  /** What clients gave as their login, decoded. */
  readonly logins: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => this.#serve(socket));

  /** @returns host and port */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('Expected a port, got none.');
    return `127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let buffer = '';
    let message: string[] | undefined;
    const say = (line: string): void => {
      socket.write(`${line}\r\n`);
    };
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (buffer + text).split('\r\n');
      buffer = lines.pop() ?? '';
      for (const line of lines) {
        if (message !== undefined && line !== '.') message.push(line);
        else if (message !== undefined) {
          this.messages.push(message.join('\n'));
          message = undefined;
          say('250 taken');
        } else if (line === 'DATA') {
          message = [];
          say('354 go on');
        } else if (line.startsWith('AUTH PLAIN ')) {
          this.logins.push(Buffer.from(line.slice(11), 'base64').toString('utf8'));
          say('235 welcome');
        } else if (line.startsWith('EHLO')) say('250-here\r\n250 AUTH PLAIN');
        else if (line === 'QUIT') socket.end('221 bye\r\n');
        else say('250 fine');
      }
    });
    say('220 a sink');
  }
}

// Books parcels, with a carrier.
import { createServer } from 'node:http';
import { backend } from './backend.ts';

const carrier = backend('carrier');

const server = createServer((request, response) => {
  request.resume();
  carrier.ask().then(
    () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"booked":true}'),
    (error: Error) => response.writeHead(503, { 'content-type': 'text/plain' }).end(error.message),
  );
});

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});

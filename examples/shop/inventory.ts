// Reserves goods, in a warehouse.
import { createServer } from 'node:http';
import { backend } from './backend.ts';

const warehouse = backend('warehouse');

const server = createServer((request, response) => {
  request.resume();
  warehouse.ask().then(
    () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"reserved":true}'),
    (error: Error) => response.writeHead(503, { 'content-type': 'text/plain' }).end(error.message),
  );
});

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});

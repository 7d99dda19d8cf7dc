// The application of npm run bench:startup: says at its first line what memory it takes.
import { createServer } from 'node:http';

console.log(JSON.stringify({ rss: process.memoryUsage.rss(), server: typeof createServer }));

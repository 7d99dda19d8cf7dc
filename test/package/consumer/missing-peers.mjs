import { postgresStore, redisStore, redisTier } from 'keelson';

const rate = { limit: 1, perMs: 1_000, burst: 1 };
const uses = [
  () => redisStore({ url: 'redis://127.0.0.1:1' }).take('k', rate),
  () => redisTier({ url: 'redis://127.0.0.1:1' }).connect(),
  () => postgresStore({ connectionString: 'postgres://127.0.0.1:1/none' }).take('k', rate),
];
const told = [];
for (const use of uses) {
  try {
    await use();
    told.push('worked');
  } catch (error) {
    told.push([error.code, error.hint]);
  }
}
console.log(JSON.stringify(told));

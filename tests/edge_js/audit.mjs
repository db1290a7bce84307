// Runs the server audits of graphql-http against URL and fails on any error or warning:
//   node audit.mjs URL [API key]
// GET is not served, so the MAY audits that ask by GET come back as notices; more than those are not let through.
import { auditServer } from 'graphql-http';

const [url, key] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs URL [API key]');
  process.exit(2);
}

const GET_ONLY = new Set(['5A70', 'D6D5', '6A70']);
const fetchFn = (target, init = {}) =>
  fetch(target, { ...init, headers: { ...init.headers, ...(key ? { authorization: `Bearer ${key}` } : {}) } });

const results = await auditServer({ url, fetchFn });
const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
const bad = [];
for (const result of results) {
  counts[result.status] += 1;
  if (result.status !== 'ok') console.log(`${result.status} ${result.id} ${result.name}: ${result.reason}`);
  if (result.status === 'warn' || result.status === 'error' || (result.status === 'notice' && !GET_ONLY.has(result.id)))
    bad.push(result.id);
  await result.response?.body?.cancel().catch(() => undefined);
}
console.log(`graphql-http audits: ${results.length}; ${counts.ok} ok, ${counts.notice} notices, ${counts.warn} warnings, ${counts.error} errors`);
process.exit(bad.length ? 1 : 0);

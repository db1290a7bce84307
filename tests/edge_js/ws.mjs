// Talks to URL (ws://…/graphql) with the graphql-ws client, as partners and pages do:
//   node ws.mjs URL [API key] [subscription document]
// Without a subscription document only what every schema has is tried.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, key, subscription] = process.argv.slice(2);
if (!url) {
  console.error('usage: node ws.mjs URL [API key] [subscription document]');
  process.exit(2);
}

const connectionParams = key ? { apiKey: key } : undefined;
const make = (options = {}) =>
  createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0, lazy: false, onNonLazyError: () => {}, ...options });

/** All results of an operation, or what it failed with. */
const run = (client, payload, take = Infinity) =>
  new Promise((resolve, reject) => {
    const results = [];
    const stop = client.subscribe(payload, {
      next: (result) => {
        results.push(result);
        if (results.length === take) setImmediate(() => stop());
      },
      error: reject,
      complete: () => resolve(results),
    });
  });

const closeOf = (client) => new Promise((resolve) => client.on('closed', resolve));

const checks = {
  async 'a query has one result and completes'() {
    const client = make();
    const results = await run(client, { query: '{ __typename }' });
    assert.deepEqual(results.map((each) => each.data), [{ __typename: 'Query' }]);
    await client.dispose();
  },
  async 'fifteen queries at once each get their own answer'() {
    const client = make();
    const names = Array.from({ length: 15 }, (_, number) => `a${number}`);
    const answers = await Promise.all(names.map((name) => run(client, { query: `{ ${name}: __typename }` })));
    assert.deepEqual(answers.map(([each]) => each.data), names.map((name) => ({ [name]: 'Query' })));
    await client.dispose();
  },
  async 'operationName and variables arrive'() {
    const client = make();
    const query = 'query A($yes: Boolean!) { __typename @include(if: $yes) } query B { b: __typename }';
    const [result] = await run(client, { query, operationName: 'A', variables: { yes: true } });
    assert.deepEqual(result.data, { __typename: 'Query' });
    await client.dispose();
  },
  async 'a syntax error fails its operation and leaves the socket open'() {
    const client = make();
    await assert.rejects(run(client, { query: '{' }), (errors) => errors[0].extensions.code === 'BAD_USER_INPUT');
    await assert.rejects(run(client, { query: '{ no_such_field }' }), (errors) => Array.isArray(errors));
    const [result] = await run(client, { query: '{ __typename }' });
    assert.deepEqual(result.data, { __typename: 'Query' });
    await client.dispose();
  },
  async 'pings are answered'() {
    let pongs = 0;
    const seen = new Promise((resolve) => {
      const client = make({
        keepAlive: 20,
        on: {
          pong: (received) => {
            if (received && ++pongs === 3) resolve(client);
          },
        },
      });
    });
    await (await seen).dispose();
  },
  async 'a client that disposes is closed normally'() {
    const client = make();
    await run(client, { query: '{ __typename }' });
    const closed = closeOf(client);
    await client.dispose();
    assert.equal((await closed).code, 1000);
  },
  async 'the old sub-protocol is not spoken'() {
    const socket = new WebSocket(url, ['graphql-ws']);
    const code = await new Promise((resolve) => {
      socket.on('error', () => resolve('handshake'));
      socket.on('close', resolve);
    });
    assert.ok(code === 'handshake' || code === 4406, `closed with ${code}`);
  },
  async 'a second connection_init is 4429'() {
    const socket = new WebSocket(url, ['graphql-transport-ws']);
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send('{"type":"connection_init"}');
    socket.send('{"type":"connection_init"}');
    assert.equal(await new Promise((resolve) => socket.on('close', resolve)), 4429);
  },
};

if (subscription) {
  checks['a subscription delivers and can be ended by the client'] = async () => {
    const client = make();
    const results = await run(client, { query: subscription }, 1);
    // What was on its way already, before the client could end it, comes too.
    assert.ok(results.length >= 1);
    assert.equal(results[0].errors, undefined);
    const [again] = await run(client, { query: '{ __typename }' });
    assert.deepEqual(again.data, { __typename: 'Query' });
    await client.dispose();
  };
}

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const limit = new Promise((_, reject) => setTimeout(() => reject(new Error('took over 15 s')), 15_000).unref());
  try {
    await Promise.race([check(), limit]);
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`failed ${name}: ${error?.stack ?? JSON.stringify(error)}`);
  }
}
console.log(`graphql-ws client: ${Object.keys(checks).length - failed} of ${Object.keys(checks).length} checks passed`);
process.exit(failed ? 1 : 0);

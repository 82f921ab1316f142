// Which server a call goes to when one is away: against small servers that refuse, break or answer,
// and count what reaches them.
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { KinglyError } from "@kingly/base";
import { createAuthority, issueCertificate } from "@kingly/protocol/pki";
import { RestClient } from "../src/index.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface Counting {
  readonly url: string;
  /** `METHOD path` of every request that was read to its end. */
  readonly seen: string[];
}

const POLICY = { apiVersion: "kingly.dev/v1", kind: "Policy", metadata: { name: "p" } };
const SCOPE = { kind: "Policy", namespace: "default" };
/** Nothing listens there: it is below every port that servers get. */
const DEAD = "http://127.0.0.1:1";

const servers: Server[] = [];
const clients: RestClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function start(answer: Answer): Promise<Counting> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      seen.push(`${request.method} ${request.url}`);
      answer(request, response);
    });
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, seen };
}

function json(status: number, body: object): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
}

const breaks: Answer = (request) => request.socket.destroy();
const answers = json(200, POLICY);

function connect(
  first: string,
  alternatives: readonly string[],
  authority?: string,
): RestClient & { readonly moves: readonly string[] } {
  const moves: string[] = [];
  const context = { name: "c", namespace: "default", token: undefined, authority };
  const client = new RestClient(
    { ...context, server: first, alternatives },
    { onServerChange: (from, to) => void moves.push(`${from} > ${to}`) },
  );
  clients.push(client);
  return Object.assign(client, { moves });
}

async function failure(call: Promise<unknown>): Promise<KinglyError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof KinglyError) return error;
  throw new Error(`expected a KinglyError, got ${String(error)}`);
}

describe("a server that refuses the connection", () => {
  it("costs nothing: reads and writes go to the next, once, and stay there", async () => {
    const next = await start(answers);
    const client = connect(DEAD, [next.url]);
    await client.create(SCOPE, POLICY);
    await client.get({ ...SCOPE, name: "p" });
    const path = "/apis/kingly.dev/v1/namespaces/default/policies";
    expect(next.seen).toEqual([`POST ${path}`, `GET ${path}/p`]);
    expect(client.moves).toEqual([`${DEAD} > ${next.url}`]);
  });

  it("is named with all others when none can be reached", async () => {
    const dead = ["http://127.0.0.1:2", "http://127.0.0.1:3"];
    const error = await failure(connect(DEAD, dead).create(SCOPE, POLICY));
    expect(error.code).toBe("Unavailable");
    expect(error.message).toMatch(/^cannot reach any of 3 servers: /);
    for (const url of [DEAD, ...dead]) expect(error.message).toContain(`${url}: connect`);
  });
});

describe("a connection that breaks after the call was sent", () => {
  it("leaves a write indeterminate: no other server gets it", async () => {
    const first = await start(breaks);
    const next = await start(answers);
    const error = await failure(connect(first.url, [next.url]).create(SCOPE, POLICY));
    expect([error.code, first.seen.length, next.seen]).toEqual(["Indeterminate", 1, []]);
    expect(error.message).toContain(`the connection to ${first.url} broke`);
  });

  it("stays indeterminate also when another server was refused before", async () => {
    const second = await start(breaks);
    const third = await start(answers);
    const client = connect(DEAD, [second.url, third.url]);
    expect((await failure(client.delete({ ...SCOPE, name: "p" }))).code).toBe("Indeterminate");
    expect([second.seen.length, third.seen]).toEqual([1, []]);
  });

  it("sends a read to the next server, also when the answer broke half-way", async () => {
    const halfWay: Answer = (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{", () => response.destroy());
    };
    for (const answer of [breaks, halfWay]) {
      const first = await start(answer);
      const next = await start(answers);
      const client = connect(first.url, [next.url]);
      expect(await client.get({ ...SCOPE, name: "p" })).toEqual(POLICY);
      expect([first.seen.length, next.seen.length]).toEqual([1, 1]);
    }
  });
});

describe("a server that says that nothing was written", () => {
  const refusal = (code: string): Answer =>
    json(503, {
      kind: "Status",
      message: "no",
      details: { kingly: { code }, retryAfterSeconds: 0 },
    });

  it("without a leader sends the call to another that may know one", async () => {
    const first = await start(refusal("NoLeader"));
    const next = await start(answers);
    await connect(first.url, [next.url]).create(SCOPE, POLICY);
    expect([first.seen.length, next.seen.length]).toEqual([1, 1]);
  });

  it("because it is busy gets the call again itself", async () => {
    let calls = 0;
    const first = await start((request, response) => {
      calls += 1;
      (calls === 1 ? refusal("Overloaded") : answers)(request, response);
    });
    const next = await start(answers);
    await connect(first.url, [next.url]).create(SCOPE, POLICY);
    expect([first.seen.length, next.seen.length]).toEqual([2, 0]);
  });
});

describe("a server that the cluster's CA does not vouch for", () => {
  it("is an error, never a reason to ask another one", async () => {
    const nowMs = Date.now();
    const ours = await createAuthority({ clusterId: "ours", nowMs });
    const theirs = await createAuthority({ clusterId: "theirs", nowMs });
    const identity = { kind: "server", clusterId: "theirs", name: "m1" } as const;
    const issued = await issueCertificate(theirs, { identity, nowMs });
    const stranger = createTlsServer(
      { cert: issued.certificatePem, key: issued.privateKeyPem },
      (request, response) => answers(request, response),
    );
    const url = `https://127.0.0.1:${await listen(stranger)}`;
    const next = await start(answers);
    const client = connect(url, [next.url], ours.certificatePem);
    for (const call of [client.get({ ...SCOPE, name: "p" }), client.create(SCOPE, POLICY)]) {
      const error = await failure(call);
      expect([error.code, error.message]).toEqual([
        "Unavailable",
        expect.stringContaining(`cannot reach ${url}: `),
      ]);
    }
    expect([next.seen, client.moves]).toEqual([[], []]);
  });
});

describe("a list", () => {
  it("begins anew when the server that began it goes away between two pages", async () => {
    const page = (names: readonly string[], token?: string): object => ({
      items: names.map((name) => ({ ...POLICY, metadata: { name } })),
      metadata: { resourceVersion: "7", ...(token === undefined ? {} : { continue: token }) },
    });
    const first = await start((request, response) => {
      if (request.url?.includes("continue=") === true) breaks(request, response);
      else json(200, page(["a"], "of-the-first"))(request, response);
    });
    const next = await start((request, response) => {
      const foreign = request.url?.includes("continue=of-the-first") === true;
      const details = { kingly: { code: "Expired" } };
      const gone = json(410, { kind: "Status", message: "forgotten", details });
      (foreign ? gone : json(200, page(["a", "b"])))(request, response);
    });
    const { items } = await connect(first.url, [next.url]).list(SCOPE);
    expect(items.map((one) => one.metadata.name)).toEqual(["a", "b"]);
    expect([first.seen.length, next.seen.length]).toEqual([2, 2]);
  });
});

describe("a watch", () => {
  it("goes on at another server from the last revision when its own goes away", async () => {
    const event = (revision: string): string =>
      `${JSON.stringify({ type: "MODIFIED", object: { metadata: { resourceVersion: revision } } })}\n`;
    const first = await start((_request, response) => {
      response.writeHead(200);
      response.write(event("8"), () => {
        response.destroy();
        // From now on it refuses connections.
        servers[0]?.close();
      });
    });
    const next = await start((_request, response) => {
      response.writeHead(200);
      response.write(event("9"));
    });
    const controller = new AbortController();
    const { signal } = controller;
    const seen: string[] = [];
    const client = connect(first.url, [next.url]);
    for await (const { object } of client.watch(SCOPE, { resourceVersion: "7", signal })) {
      seen.push(object.metadata.resourceVersion);
      if (seen.length === 2) controller.abort();
    }
    expect(seen).toEqual(["8", "9"]);
    expect(next.seen[0]).toContain("resourceVersion=8");
  });
});

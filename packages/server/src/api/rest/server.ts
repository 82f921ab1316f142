// The REST admin API: Fastify over TLS (HTTP/1.1). Every answer is JSON of the Kubernetes API, also
// the refusals of the HTTP layer itself; every resource a client can hold is bounded.

import { STATUS_CODES } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { KinglyError, toKinglyError } from "@kingly/base";
import Fastify from "fastify";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../core/context.ts";
import { retryAfterSeconds, statusOf } from "../core/status.ts";
import {
  BODY_BYTES_MAX,
  CLOSE_GRACE_MS,
  HANDSHAKE_MS,
  HEADERS_TIMEOUT_MS,
  PATH_CHARS_MAX,
  REQUEST_TIMEOUT_MS,
  REST_CONNECTIONS_MAX,
} from "../limits.ts";
import { restRequest, subjectName } from "./request.ts";
import { route, send, subjectOf } from "./router.ts";
import { WatchServer } from "./watch-server.ts";

/** Where to listen and with which certificate. */
export interface RestListenOptions {
  readonly host: string;
  /** 0 = the system chooses. */
  readonly port: number;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The running REST API. */
export interface RestServer {
  readonly port: number;
  /** Stops taking connections, ends watches, cuts what remains after a grace period. */
  close(): Promise<void>;
}

const HEALTH_PATHS = ["/healthz", "/livez", "/readyz"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Errors of Fastify itself, in our words. */
function ownError(error: unknown): KinglyError {
  if (error instanceof KinglyError) return error;
  const { statusCode, code, message } = error as Partial<FastifyError>;
  if (statusCode === 413) {
    return new KinglyError("DocumentTooLarge", `the body exceeds ${BODY_BYTES_MAX} bytes`, {
      field: "body",
      limit: BODY_BYTES_MAX,
    });
  }
  if (statusCode === 415) {
    return new KinglyError("UnsupportedMediaType", message ?? "unreadable content type", {
      field: "content-type",
      limit: "application/json",
    });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new KinglyError("Usage", message ?? "bad request", { reason: code ?? "" });
  }
  return toKinglyError(error);
}

function fail(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
): void {
  const error = ownError(thrown);
  if (error.code === "Internal") {
    // A defect of ours: the whole story goes to the log, not to the client.
    context.logger.error("request failed", {
      method: request.method,
      url: request.url.slice(0, 300),
      error: error.cause instanceof Error ? (error.cause.stack ?? error.message) : error.message,
    });
  }
  const path = request.url.split("?")[0] ?? "";
  const subject = subjectOf(path);
  const status = statusOf(
    error.code === "Internal" ? new KinglyError("Internal", "an internal error occurred") : error,
    { ...subject, name: subject.name ?? subjectName(request) },
  );
  const retry = retryAfterSeconds(error);
  if (retry !== undefined) void reply.header("retry-after", String(retry));
  if (error.info.http === 401) void reply.header("www-authenticate", 'Bearer realm="kingly"');
  // A stream that fails after its head was sent can only be cut.
  if (reply.sent || reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  void reply.code(error.info.http).type("application/json").send(JSON.stringify(status));
}

/** Bytes that are not HTTP: answered with a Status when possible, and the socket is closed. */
function onClientError(context: ApiContext, error: Error, socket: Socket): void {
  context.metrics.refusedConnections.inc({ interface: "rest" });
  if (!socket.writable || socket.destroyed) return;
  const status = statusOf(
    new KinglyError("MalformedFrame", `not a readable HTTP/1.1 request: ${error.message}`),
  );
  const body = JSON.stringify(status);
  socket.end(
    `HTTP/1.1 400 ${STATUS_CODES[400]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function health(context: ApiContext, request: FastifyRequest, reply: FastifyReply): void {
  const ready = !request.url.startsWith("/readyz") || context.ready();
  void reply
    .code(ready ? 200 : 503)
    .type("text/plain")
    .send(ready ? "ok" : "not ready: no leader is known or the server is stopping");
}

/** Starts the REST API. */
export async function startRest(
  context: ApiContext,
  listen: RestListenOptions,
): Promise<RestServer> {
  const { cert, key, host, port } = listen;
  const app = Fastify({
    https: { cert, key, minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_MS },
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PATH_CHARS_MAX },
    clientErrorHandler: (error, socket) => onClientError(context, error, socket as Socket),
    frameworkErrors: (error, request, reply) =>
      fail(context, request as FastifyRequest, reply as FastifyReply, error),
  });
  const { server } = app;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.maxConnections = REST_CONNECTIONS_MAX;
  server.on("tlsClientError", (_error, socket: Socket) => {
    context.metrics.refusedConnections.inc({ interface: "rest" });
    socket.destroy();
  });
  const watches = new WatchServer(context);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => fail(context, request, reply, error));
  for (const path of HEALTH_PATHS) {
    app.get(path, (request, reply) => health(context, request, reply));
  }
  app.addHook("onRequest", async (request) => {
    if (HEALTH_PATHS.includes(request.url.split("?")[0] ?? "")) return;
    // Before the body is read: strangers cannot make this server hold one.
    principals.set(request.raw, context.auth.fromHeader(request.headers.authorization));
  });
  const principals = new WeakMap<IncomingMessage, ReturnType<typeof context.auth.fromHeader>>();
  app.all("*", { schema: {} }, async (request, reply) => {
    const started = context.clock.nowMs();
    const principal = principals.get(request.raw);
    if (principal === undefined) throw new KinglyError("Unauthenticated", "no credentials");
    if (!METHODS.includes(request.method)) {
      throw new KinglyError("MethodNotAllowed", `${request.method} is not served`, {
        field: "method",
        limit: METHODS.join(", "),
        value: request.method,
      });
    }
    const answer = await route({ context, watches }, restRequest(request, reply, principal));
    await send(reply, answer);
    const seconds = (context.clock.nowMs() - started) / 1000;
    const labels = { interface: "rest", method: request.method, code: String(reply.statusCode) };
    if (answer !== undefined) context.metrics.requestSeconds.observe(labels, seconds);
    return reply;
  });
  await app.listen({ host, port });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      watches.close();
      const cut = context.clock.setTimer(CLOSE_GRACE_MS, () => server.closeAllConnections());
      await app.close();
      cut.cancel();
    },
  };
}

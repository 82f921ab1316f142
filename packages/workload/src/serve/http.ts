// The service's HTTP face. Latency is measured here: from the moment Node hands over the request to
// the moment its answer is written, queueing included.
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import {
  CONFIG_BYTES_MAX,
  CONNECTIONS_MAX,
  INFER_BODY_BYTES_MAX,
  KEEP_ALIVE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
} from "../limits.ts";
import { parseTunables } from "../tunables.ts";
import type { Problem, TunablesResult } from "../tunables.ts";
import { BadRequestError, readText } from "./body.ts";
import { parseInferRequest } from "./infer-request.ts";
import type { Metrics } from "./metrics.ts";
import { QueueFullError, StoppedError } from "./service.ts";
import type { InferenceService } from "./service.ts";

/** What the HTTP face stands on. */
export interface HttpContext {
  readonly service: InferenceService;
  readonly metrics: Metrics;
  /** Reads the --config file again; undefined when there is none. */
  readonly reload: (() => Promise<TunablesResult>) | undefined;
  /** Value of the header x-warm-up that admits requests before the service is ready. */
  readonly warmUpToken: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Creates the server; the caller listens. */
export function createHttpServer(context: HttpContext): Server {
  const server = createServer(
    {
      noDelay: true,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
    },
    (request, response) => {
      void handle(context, request, response);
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function handle(
  context: HttpContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0];
  const route = `${request.method ?? ""} ${path ?? ""}`;
  try {
    switch (route) {
      case "POST /infer":
        await infer(context, request, response);
        return;
      case "GET /metrics": {
        const { contentType, text } = await context.metrics.render();
        response.writeHead(200, { "content-type": contentType }).end(text);
        return;
      }
      case "GET /healthz":
        send(response, health(context.service));
        return;
      case "GET /config":
        send(response, { status: 200, body: context.service.tunables });
        return;
      case "PUT /config": {
        const text = await readText(request, CONFIG_BYTES_MAX);
        send(response, apply(context, parseTunables(text), 400));
        return;
      }
      case "POST /reload":
        send(response, await reload(context));
        return;
      default:
        send(response, failure(404, "", `no such endpoint: ${route.slice(0, 200)}`));
    }
  } catch (error) {
    send(response, failureOf(error));
  }
}

async function infer(
  context: HttpContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const start = performance.now();
  const { service, metrics } = context;
  let answer: Answer;
  try {
    if (service.state !== "ready" && request.headers["x-warm-up"] !== context.warmUpToken) {
      throw new StoppedError(`service is ${service.state}`);
    }
    const { text, scores } = parseInferRequest(await readText(request, INFER_BODY_BYTES_MAX));
    const result = await service.infer(text);
    const body = scores
      ? { label: result.label, scores: Array.from(result.scores) }
      : { label: result.label };
    answer = { status: 200, body };
  } catch (error) {
    answer = failureOf(error);
    if (error instanceof QueueFullError) metrics.observeDrop("queue_full");
    else if (error instanceof StoppedError) metrics.observeDrop("not_ready");
    else if (!(error instanceof BadRequestError)) metrics.observeDrop("failed");
  }
  send(response, answer);
  metrics.observeRequest(answer.status, (performance.now() - start) / 1_000);
}

function health(service: InferenceService): Answer {
  const status = service.state === "ready" ? 200 : 503;
  return { status, body: { status: service.state === "ready" ? "ok" : service.state } };
}

function apply(context: HttpContext, result: TunablesResult, badStatus: number): Answer {
  if (!result.ok) {
    context.metrics.observeConfig("refused");
    return refusal(badStatus, result.problems);
  }
  const start = performance.now();
  context.service.configure(result.tunables);
  context.metrics.observeConfig("applied", (performance.now() - start) / 1_000);
  return { status: 200, body: context.service.tunables };
}

async function reload(context: HttpContext): Promise<Answer> {
  if (context.reload === undefined) {
    return failure(409, "", "the service was started without --config FILE");
  }
  return apply(context, await context.reload(), 422);
}

function refusal(status: number, problems: readonly Problem[]): Answer {
  const message = problems.map((one) => one.message).join("; ");
  return { status, body: { error: { field: problems[0]?.field ?? "", message, problems } } };
}

function failure(status: number, field: string, message: string): Answer {
  return { status, body: { error: { field, message } } };
}

function failureOf(error: unknown): Answer {
  if (error instanceof BadRequestError) return failure(error.status, error.field, error.message);
  if (error instanceof QueueFullError || error instanceof StoppedError) {
    return failure(503, "", error.message);
  }
  return failure(500, "", "the request could not be computed");
}

function send(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(answer.body);
  // A body that was too large is not read to its end, so the connection cannot serve another request.
  const close = answer.status === 413 ? { connection: "close" } : {};
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...close,
  });
  response.end(body);
}

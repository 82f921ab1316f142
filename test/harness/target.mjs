// A small real service for tests: one HTTP server whose requests cost real work by its configuration.
// Each GET /work hashes a block `rounds` times; the CPU time of the work goes into a Prometheus
// histogram. It sends itself requests all the time, takes configurations with PUT /config (and from a
// file with POST /reload), and remembers every one that it ever ran.
//
// Arguments: CONFIG_JSON [FILE]. Prints {"listening": PORT}.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, createServer, get } from "node:http";

const REQUESTS_PER_SECOND = 50;
const BLOCK = Buffer.alloc(1024, 7);

const [initial = "{}", file] = process.argv.slice(2);
let config = JSON.parse(initial);
/** Every content that ran, with how it came. */
const history = [{ how: "start", config }];
/** What a test changes from outside; a flavor may be sick, or cost further rounds. */
let control = { sick: "", applyDelayMs: 0, penalty: { flavor: "", rounds: 0 } };
/** Contents that were taken and do not run yet. */
let applying = 0;
const measured = { requests: 0, seconds: 0 };

function work() {
  const { flavor, rounds } = control.penalty;
  const extra = rounds > 0 && config.flavor === flavor ? rounds : 0;
  const before = process.cpuUsage();
  let digest = BLOCK;
  for (let round = 0; round < config.rounds + extra; round += 1) {
    digest = createHash("sha256").update(BLOCK).update(digest).digest();
  }
  const { user, system } = process.cpuUsage(before);
  measured.requests += 1;
  measured.seconds += (user + system) / 1e6;
  return digest.toString("hex");
}

function metrics() {
  return [
    "# TYPE work_seconds histogram",
    `work_seconds_bucket{le="+Inf"} ${measured.requests}`,
    `work_seconds_sum ${measured.seconds}`,
    `work_seconds_count ${measured.requests}`,
    "",
  ].join("\n");
}

function adopt(how, next) {
  if (typeof next.rounds !== "number") return [422, "rounds is missing"];
  config = next;
  history.push({ how, config });
  return [200, "{}"];
}

async function answer(method, path, body) {
  switch (`${method} ${path}`) {
    case "GET /work":
      return [200, work()];
    case "GET /metrics":
      return [200, metrics()];
    case "GET /healthz":
      return config.flavor === control.sick ? [503, "down"] : [200, "ok"];
    case "GET /config":
      return [200, JSON.stringify(config)];
    case "GET /history":
      return [200, JSON.stringify({ applying, ran: history })];
    case "PUT /config":
    case "POST /reload": {
      // A request that was taken changes the target even if nobody waits for the answer.
      applying += 1;
      await new Promise((resolve) => setTimeout(resolve, control.applyDelayMs));
      applying -= 1;
      const text = method === "PUT" ? body : readFileSync(file, "utf8");
      return adopt(method, JSON.parse(text));
    }
    case "POST /control":
      control = { ...control, ...JSON.parse(body) };
      return [200, "{}"];
    default:
      return [404, ""];
  }
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    answer(request.method, request.url, body).then(
      ([status, text]) => response.writeHead(status).end(text),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let waiting = 0;
  setInterval(() => {
    // A slow machine makes fewer requests, it does not pile them up.
    if (waiting > 2) return;
    waiting += 1;
    const done = () => {
      waiting -= 1;
    };
    get({ port, host: "127.0.0.1", path: "/work", agent }, (response) => {
      response.resume();
      response.on("end", done);
    }).on("error", done);
  }, 1000 / REQUESTS_PER_SECOND);
  console.log(JSON.stringify({ listening: port }));
});

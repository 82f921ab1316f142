import { createServer } from "node:http";
import type { Server } from "node:http";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@kingly/base";
import { describe, expect, it } from "vitest";
import { FileApplier, HttpApplier, HttpProbe, PrometheusProbe, ScrapeCache } from "../src/index.ts";
import { parsePrometheus } from "../src/probes/prometheus-text.ts";
import { applierConformance, content, probeConformance } from "./support/conformance.ts";
import type { ProbeFixture } from "./support/conformance.ts";
import { FakeTarget, until } from "./support/servers.ts";

applierConformance("FileApplier", async (found) => {
  const folder = await mkdtemp(join(tmpdir(), "kingly-file-"));
  const path = join(folder, "app.json");
  await writeFile(path, JSON.stringify(found));
  const flag = join(folder, "broken");
  const command = { argv: ["/bin/sh", "-c", `test ! -e ${flag}`], timeoutMs: 5_000 };
  const binding = {
    type: "file",
    path,
    format: "json",
    mode: 0o640,
    reload: { type: "command", command },
  } as const;
  const open = (): FileApplier => new FileApplier(binding, join(folder, "ledger"), "a/b");
  return {
    applier: open(),
    reopen: open,
    running: async () => JSON.parse(await readFile(path, "utf8")) as JsonObject,
    // An edit that is undone has the same bytes again.
    edit: async (data) => writeFile(path, `${JSON.stringify(data, null, 2)}\n`),
    breakTarget: async () => writeFile(flag, ""),
    close: async () => rm(folder, { recursive: true, force: true }),
  };
});

applierConformance("HttpApplier", async (found) => {
  const target = await FakeTarget.start(found);
  const open = (): HttpApplier =>
    new HttpApplier({ type: "http", url: target.url("/config"), method: "PUT" });
  return {
    applier: open(),
    reopen: open,
    running: async () => Promise.resolve(target.config),
    edit: async (data) => {
      target.config = data;
      return Promise.resolve();
    },
    breakTarget: async () => {
      target.refuses = true;
      return Promise.resolve();
    },
    close: async () => target.stop(),
  };
});

describe("FileApplier", () => {
  it("renders a template, checks beside the file, sets the mode, and refuses what the check refuses", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kingly-template-"));
    try {
      const path = join(folder, "app.conf");
      const template = join(folder, "app.tmpl");
      await writeFile(
        template,
        "window = {{window}}\n{{#tags}}tag {{.}}\n{{/tags}}name = {{name}}\n",
      );
      const argv = [
        "/bin/sh",
        "-c",
        'grep -q "window = 1$" "$1" || { echo too wide; exit 3; }',
        "sh",
        "{file}",
      ];
      const check = { argv, timeoutMs: 5_000 };
      const binding = { type: "file", path, format: "json", template, check, mode: 0o600 } as const;
      const applier = new FileApplier(binding, join(folder, "ledger"), "t");
      expect(await applier.capture()).toMatchObject({ version: 0, hash: "0".repeat(64) });
      const good = content(1, { window: 1, tags: ["a", "b"], name: "<x & y>" });
      expect(await applier.check(good)).toBe("");
      expect(await applier.check(content(2, { window: 2 }))).toMatch(/exit code 3: too wide/);
      expect(await applier.apply(good)).toEqual({ ok: true });
      expect(await readFile(path, "utf8")).toBe("window = 1\ntag a\ntag b\nname = <x & y>\n");
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      // As found was "no file": that is what comes back.
      expect(await applier.apply({ version: 0, hash: "0".repeat(64), data: {}, raw: "" })).toEqual({
        ok: true,
      });
      await expect(stat(path)).rejects.toThrow(/ENOENT/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("kills a check that hangs, and says so", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kingly-hang-"));
    try {
      const check = { argv: ["/bin/sh", "-c", "exec sleep 60"], timeoutMs: 50 };
      const binding = {
        type: "file",
        path: join(folder, "x"),
        format: "yaml",
        check,
        mode: 0o600,
      } as const;
      const applier = new FileApplier(binding, folder, "t");
      expect(await applier.check(content(1, { a: 1 }))).toMatch(/SIGKILL \(limit 50 ms\)/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("puts back bytes that it cannot parse", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kingly-raw-"));
    try {
      const path = join(folder, "x");
      const bytes = Buffer.from([0, 255, 10, 123]);
      await writeFile(path, bytes);
      await chmod(path, 0o644);
      const binding = { type: "file", path, format: "yaml", mode: 0o644 } as const;
      const applier = new FileApplier(binding, folder, "t");
      const found = await applier.capture();
      expect(await applier.apply(content(1, { a: [1] }))).toEqual({ ok: true });
      expect(await readFile(path, "utf8")).toBe("a:\n  - 1\n");
      expect(await applier.apply(found)).toEqual({ ok: true });
      expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** A page under our control, and requests that wait as long as they are told. */
class Page {
  text = "";
  /** Requests answered so far. */
  served = 0;
  delayMs = 0;
  answers = true;
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Page> {
    const server = createServer();
    const page = new Page(server);
    server.on("request", (_request, response) => {
      setTimeout(() => {
        page.served += 1;
        response.writeHead(page.answers ? 200 : 503).end(page.text);
      }, page.delayMs);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return page;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/metrics`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

interface Counters {
  readonly page: Page;
  sum: number;
  count: number;
}

async function prometheusFixture(
  kind: "histogram-mean" | "counter-ratio" | "gauge" | "histogram-quantile",
  render: (state: Counters, level: number) => string,
): Promise<ProbeFixture> {
  const page = await Page.start();
  const state: Counters = { page, sum: 3, count: 5 };
  page.text = render(state, 0);
  const probe = new PrometheusProbe(
    {
      type: "prometheus",
      url: page.url,
      kind,
      metric: "m",
      per: "n",
      quantile: 0.5,
      labels: { code: "200" },
      scale: 1,
      minimumEvents: 1,
    },
    new ScrapeCache(),
  );
  // The scrape that begins a block must have been answered before the page changes.
  let served = 0;
  return {
    probe,
    accepts: (value, level) => Math.abs(value - level) <= level * 0.01,
    levels: [0.25, 4],
    drive: async (level) => {
      if (kind !== "gauge") await until(() => page.served > served, "the first scrape");
      state.sum += 10 * level;
      state.count += 10;
      page.text = render(state, level);
      served = page.served + 1;
    },
    silence: async () => {
      if (kind === "gauge") page.text = "";
      return Promise.resolve();
    },
    gone: async () => page.close(),
    close: async () => page.close(),
  };
}

probeConformance("a histogram's mean", async () =>
  prometheusFixture(
    "histogram-mean",
    ({ sum, count }) =>
      `m_sum{code="200"} ${sum}\nm_count{code="200"} ${count}\nm_sum{code="500"} 99\nm_count{code="500"} 1\n`,
  ),
);

probeConformance("a ratio of counters", async () =>
  prometheusFixture(
    "counter-ratio",
    ({ sum, count }) => `m{code="200"} ${sum}\nn{code="200"} ${count}\n`,
  ),
);

probeConformance("a gauge", async () =>
  prometheusFixture(
    "gauge",
    (_state, level) => `# HELP m x\nm{code="200",a="b\\"}"} ${level} 1700000000\n`,
  ),
);

probeConformance("a histogram's quantile", async () => {
  const buckets = new Map<number, number>([
    [0.25, 0],
    [0.5, 0],
    [4, 0],
  ]);
  return prometheusFixture("histogram-quantile", ({ count }, level) => {
    // All of a block's events lie just below the level's bucket bound: the median is near it.
    if (level > 0) for (const [bound, n] of buckets) if (bound >= level) buckets.set(bound, n + 10);
    const at = (bound: number): string =>
      `m_bucket{code="200",le="${bound}"} ${buckets.get(bound) ?? 0}`;
    const lines = [...buckets.keys()].map(at);
    return `${lines.join("\n")}\nm_bucket{code="200",le="+Inf"} ${count}\n`;
  }).then((fixture) => ({
    ...fixture,
    // Linear inside a bucket: all that is known is the bucket.
    accepts: (value: number, level: number) => value > level / 16 && value <= level,
  }));
});

probeConformance("an HTTP probe", async () => {
  const page = await Page.start();
  const probe = new HttpProbe({ type: "http", url: page.url, intervalMs: 20, timeoutMs: 2_000 });
  return {
    probe,
    // A busy machine adds to every request; the first one may still see the delay before.
    accepts: (value, level) => value >= level / 2 && value < level + 10,
    levels: [0.02, 0.2],
    drive: async (level) => {
      page.delayMs = level * 1000;
      const enough = page.served + 20;
      await until(() => page.served >= enough, "twenty answers");
    },
    silence: async () => {
      page.answers = false;
      page.delayMs = 0;
      return Promise.resolve();
    },
    gone: async () => page.close(),
    close: async () => page.close(),
  };
});

describe("Prometheus text", () => {
  it("gives the asked samples and skips comments, other metrics and malformed lines", () => {
    const text = [
      "# TYPE a counter",
      "a 1",
      'a{x="1",y="q\\"\\n\\\\"} 2.5e3 1700000000000',
      "ab 9",
      "a{x=1} 7",
      "a",
      "a nonsense",
      'a{le="+Inf"} +Inf',
      "",
    ].join("\n");
    expect(parsePrometheus(text, new Set(["a"]))).toEqual([
      { name: "a", labels: {}, value: 1 },
      { name: "a", labels: { x: "1", y: 'q"\n\\' }, value: 2_500 },
      { name: "a", labels: { le: "+Inf" }, value: Number.POSITIVE_INFINITY },
    ]);
  });
});

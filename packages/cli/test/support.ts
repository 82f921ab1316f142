// kinglyctl in this process: a fake Io with exact streams, over the real API of a server.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderKubeconfig } from "../../server/src/kubeconfig.ts";
import { TOKENS, TestApi } from "../../server/test/api/support.ts";
import { runCli } from "../src/index.ts";
import type { Io } from "../src/index.ts";

/** What one command line printed and returned. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called with all of stdout after every write. */
  readonly onOut?: (out: string) => void;
  readonly onErr?: (err: string) => void;
}

export class Terminal {
  readonly api: TestApi;
  readonly folder: string;

  private constructor(api: TestApi) {
    this.api = api;
    this.folder = mkdtempSync(join(tmpdir(), "kingly-cli-"));
    this.context("config", TOKENS.admin);
  }

  static async start(): Promise<Terminal> {
    return new Terminal(await TestApi.start());
  }

  /** Address of the API, host:port. */
  get address(): string {
    return `127.0.0.1:${this.api.api.restPort}`;
  }

  /** Writes a context file; returns its path. */
  context(name: string, token: string, ...servers: readonly string[]): string {
    const addresses = servers.length === 0 ? [this.address] : servers;
    const text = renderKubeconfig({
      clusterId: "test",
      servers: addresses.map((address, at) => ({ memberId: `m${at + 1}`, address })),
      authorityPem: this.api.authorityPem,
      user: "someone",
      token,
      namespace: "default",
    });
    return this.file(name, text);
  }

  /** Writes a file; returns its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Runs one command line. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    let out = "";
    let err = "";
    const io: Io = {
      stdout: {
        write: (text) => {
          out += text;
          options.onOut?.(out);
        },
        isTty: false,
        columns: 0,
      },
      stderr: {
        write: (text) => {
          err += text;
          options.onErr?.(err);
        },
        isTty: false,
        columns: 0,
      },
      env: { KINGLYCONFIG: join(this.folder, "config"), USER: "tester", ...options.env },
      homeFolder: this.folder,
      nowMs: () => this.api.clock.nowMs(),
      readText: async (path) => {
        if (path === "-") return options.stdin ?? "";
        return readFileSync(path, "utf8");
      },
      listFolder: (path) => realFolder(path),
      interrupted: options.signal ?? new AbortController().signal,
    };
    const code = await runCli(argv, io);
    return { code, out, err };
  }

  async close(): Promise<void> {
    await this.api.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function realFolder(path: string): readonly string[] | undefined {
  return statSync(path).isDirectory() ? readdirSync(path).toSorted() : undefined;
}

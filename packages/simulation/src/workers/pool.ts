// Worker processes that run seeds side by side. One task at a time per worker; results come in the
// order of the tasks, so that what is printed does not depend on the number of workers.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { assert } from "@kingly/base";
import type { RunOptions, RunResult } from "../cluster/run.ts";
import { TASK_REAL_SECONDS_MAX } from "../limits.ts";
import type { ModulePatches } from "../mutants/hooks.ts";
import type { Answer, Task } from "./worker.ts";

// Sources and built modules both find the built one: workers run without a compiler.
const PROGRAM = fileURLToPath(new URL("../../dist/workers/worker.js", import.meta.url));

/** One worker process. */
export class Worker {
  readonly #child: ChildProcess;

  /** `patches`: what is changed in the code that the worker loads. */
  constructor(patches: readonly ModulePatches[] = []) {
    this.#child = fork(PROGRAM, [JSON.stringify(patches)], { execArgv: [] });
  }

  /** Runs one task; call again only after it has settled. Rejects when the worker ends or hangs. */
  run(task: Task): Promise<Extract<Answer, { ok: true }>["result"]> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        action();
      };
      const fail = (text: string): void => settle(() => reject(new Error(text)));
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        fail(`no result after ${TASK_REAL_SECONDS_MAX} s of real time`);
      }, TASK_REAL_SECONDS_MAX * 1_000);
      child.once("message", (answer: Answer) => {
        if (answer.ok) settle(() => resolve(answer.result));
        else fail(answer.error);
      });
      child.once("error", (error) => fail(error.message));
      child.once("exit", (code) => fail(`the worker process ended with code ${code}`));
      child.send(task);
    });
  }

  /** Ends the process. */
  close(): void {
    this.#child.kill("SIGKILL");
  }
}

/** Several workers. */
export class Pool {
  readonly #workers: readonly Worker[];

  constructor(size: number) {
    this.#workers = Array.from({ length: size }, () => new Worker());
  }

  /** Runs cluster seeds side by side and yields their results in order. */
  async *inOrder(tasks: Iterable<RunOptions>): AsyncIterable<RunResult> {
    const free = [...this.#workers];
    // Two per worker: while the oldest runs, the others need not wait for it.
    const ahead: Promise<RunResult>[] = [];
    const waiting: ((worker: Worker) => void)[] = [];
    const release = (worker: Worker): void => {
      const next = waiting.shift();
      if (next === undefined) free.push(worker);
      else next(worker);
    };
    const start = async (options: RunOptions): Promise<RunResult> => {
      const worker = free.pop() ?? (await new Promise<Worker>((resolve) => waiting.push(resolve)));
      const result = await worker.run({ world: "cluster", options });
      release(worker);
      return result as RunResult;
    };
    for (const options of tasks) {
      const running = start(options);
      running.catch(() => {});
      ahead.push(running);
      if (ahead.length < AHEAD_PER_WORKER * this.#workers.length) continue;
      const oldest = ahead.shift();
      assert(oldest !== undefined, "a task was just added");
      yield await oldest;
    }
    for (const running of ahead) yield await running;
  }

  /** Ends all processes. */
  close(): void {
    for (const worker of this.#workers) worker.close();
  }
}

/** Seeds under way or waiting per worker; their durations differ by a factor of ten. */
const AHEAD_PER_WORKER = 16;

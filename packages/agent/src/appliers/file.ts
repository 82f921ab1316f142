// A content as a file: rendered, checked beside its place, written atomically, then the target is told
// to reload. A file that somebody edited since our last write is left alone.

import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { contentHash, fromBase64, isJsonObject, KinglyError, toBase64 } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { Content } from "@kingly/node-core";
import { nodeCrypto } from "@kingly/protocol";
import type { FileApplierBinding } from "../config/types.ts";
import { removeDurably, writeAtomic } from "../disk/atomic.ts";
import { httpCall } from "../http-client.ts";
import { FILE_BYTES_MAX } from "../limits.ts";
import type { Applier, ApplyOutcome } from "./applier.ts";
import { runCommand } from "./command.ts";
import { ABSENT, bytesHash, Ledger } from "./ledger.ts";

/** Applies contents to one file. */
export class FileApplier implements Applier {
  readonly #binding: FileApplierBinding;
  readonly #ledger: Ledger;

  /** `folder` holds the ledger, `name` tells targets apart in it. */
  constructor(binding: FileApplierBinding, folder: string, name: string) {
    this.#binding = binding;
    this.#ledger = new Ledger(join(folder, `${encodeURIComponent(name)}.json`));
  }

  async capture(): Promise<Content> {
    const bytes = await this.#read();
    if (bytes === null) return { version: 0, hash: ABSENT, data: {}, raw: "" };
    const raw = toBase64(bytes);
    const data = await this.#parse(bytes);
    if (data === null) return { version: 0, hash: bytesHash(bytes), data: {}, raw };
    return { version: 0, hash: contentHash(data, nodeCrypto), data, raw };
  }

  async check(content: Content): Promise<string> {
    let bytes: Uint8Array | null;
    try {
      bytes = await this.#render(content);
    } catch (error) {
      return `cannot render: ${error instanceof Error ? error.message : String(error)}`;
    }
    const { check, path, mode } = this.#binding;
    if (check === undefined || bytes === null) return "";
    const beside = `${path}.kingly-check`;
    try {
      await writeAtomic(beside, bytes, { mode });
      return await runCommand(check, beside);
    } catch (error) {
      return `cannot check: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      await rm(beside, { force: true });
    }
  }

  async apply(content: Content): Promise<ApplyOutcome> {
    try {
      const before = bytesHash(await this.#read());
      if (!(await this.#ledger.isOurs(before))) {
        return { ok: false, edited: true, message: `${this.#binding.path} was changed by hand` };
      }
      const bytes = await this.#render(content);
      const after = bytesHash(bytes);
      await this.#ledger.note([...new Set([before, after])]);
      if (bytes === null) await removeDurably(this.#binding.path);
      else await writeAtomic(this.#binding.path, bytes, { mode: this.#binding.mode });
      await this.#ledger.note([after]);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, edited: false, message };
    }
    const problem = await this.#reload();
    return problem === "" ? { ok: true } : { ok: false, edited: false, message: problem };
  }

  async edited(): Promise<string> {
    try {
      const hash = bytesHash(await this.#read());
      if (await this.#ledger.isOurs(hash)) return "";
      return `${this.#binding.path} has hash ${hash.slice(0, 12)}, which is not ours`;
    } catch (error) {
      return `cannot read: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async #reload(): Promise<string> {
    const { reload, path } = this.#binding;
    if (reload === undefined) return "";
    if (reload.type === "command") return runCommand(reload.command, path);
    const answer = await httpCall({ url: reload.url, method: reload.method });
    if (answer.status >= 200 && answer.status < 300) return "";
    const what =
      answer.error === "" ? `status ${answer.status}: ${answer.body.slice(0, 200)}` : answer.error;
    return `reload ${reload.url}: ${what}`;
  }

  /** Bytes for a content; null stands for "no file". */
  async #render(content: Content): Promise<Uint8Array | null> {
    if (content.raw !== undefined) return content.hash === ABSENT ? null : fromBase64(content.raw);
    const { template, format } = this.#binding;
    if (template !== undefined) {
      const { default: mustache } = await import("mustache");
      // The file is not HTML: values go in as they are.
      const escape = (value: unknown): string => String(value);
      const text = mustache.render(await readFile(template, "utf8"), content.data, undefined, {
        escape,
      });
      return Buffer.from(text, "utf8");
    }
    if (format === "json") return Buffer.from(`${JSON.stringify(content.data, null, 2)}\n`, "utf8");
    const { stringify } = await import("yaml");
    return Buffer.from(stringify(content.data), "utf8");
  }

  async #parse(bytes: Uint8Array): Promise<JsonObject | null> {
    if (this.#binding.template !== undefined) return null;
    const text = Buffer.from(bytes).toString("utf8");
    try {
      const parsed: unknown =
        this.#binding.format === "json" ? JSON.parse(text) : (await import("yaml")).parse(text);
      return isJsonObject(parsed as JsonValue) ? (parsed as JsonObject) : null;
    } catch {
      return null;
    }
  }

  async #read(): Promise<Uint8Array | null> {
    const { path } = this.#binding;
    try {
      const { size } = await stat(path);
      if (size > FILE_BYTES_MAX) {
        throw new KinglyError("DocumentTooLarge", `${path} is larger than a content may be`, {
          field: path,
          limit: FILE_BYTES_MAX,
          value: size,
        });
      }
      return await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }
}

// A content as the body of a request to the target, which answers GET with what it runs. An answer of
// 400 or 422 is the target's own check speaking.

import { contentHash, isJsonObject, KinglyError } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { Content } from "@kingly/node-core";
import { nodeCrypto } from "@kingly/protocol";
import type { HttpApplierBinding } from "../config/types.ts";
import { httpCall, type HttpAnswer } from "../http-client.ts";
import type { Applier, ApplyOutcome } from "./applier.ts";

/** Applies contents to one URL. */
export class HttpApplier implements Applier {
  readonly #binding: HttpApplierBinding;
  /** What the target said it runs after our last apply; "" = not known. */
  #settled = "";

  constructor(binding: HttpApplierBinding) {
    this.#binding = binding;
  }

  async capture(): Promise<Content> {
    const { url } = this.#binding;
    const answer = await httpCall({ url, accept: "application/json" });
    const data = objectOf(answer);
    if (data === null) {
      const what = describe(answer);
      throw new KinglyError("Unavailable", `GET ${url}: ${what}`, { field: url, value: what });
    }
    return { version: 0, hash: contentHash(data, nodeCrypto), data };
  }

  /** The target checks when it applies; nothing can be asked beforehand. */
  async check(): Promise<string> {
    return Promise.resolve("");
  }

  async apply(content: Content): Promise<ApplyOutcome> {
    const { url, method } = this.#binding;
    const edited = await this.edited();
    if (edited !== "") return { ok: false, edited: true, message: edited };
    const answer = await httpCall({ url, method, body: JSON.stringify(content.data) });
    if (answer.status >= 200 && answer.status < 300) {
      this.#settled = await this.#current();
      return { ok: true };
    }
    return { ok: false, edited: false, message: `${method} ${url}: ${describe(answer)}` };
  }

  async edited(): Promise<string> {
    if (this.#settled === "") return "";
    const current = await this.#current();
    // A target that was restarted or is away was not edited by anybody; the next apply finds out.
    if (current === "" || current === this.#settled) return "";
    return `${this.#binding.url} answers with a content that is not ours`;
  }

  async #current(): Promise<string> {
    const data = objectOf(await httpCall({ url: this.#binding.url, accept: "application/json" }));
    return data === null ? "" : contentHash(data, nodeCrypto);
  }
}

function objectOf(answer: HttpAnswer): JsonObject | null {
  if (answer.status < 200 || answer.status >= 300) return null;
  try {
    const parsed = JSON.parse(answer.body) as JsonValue;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function describe(answer: HttpAnswer): string {
  if (answer.status === 0) return answer.error;
  return `status ${answer.status}: ${answer.body.slice(0, 300)}`;
}

// Bodies from strangers: read up to a limit, decode strictly, parse. Every refusal says what was
// wrong and which limit it broke.
import type { IncomingMessage } from "node:http";

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** A request the caller got wrong, with the HTTP status to answer. */
export class BadRequestError extends Error {
  override readonly name: string = "BadRequestError";
  readonly status: number;
  /** The offending field, or "" for the body as a whole. */
  readonly field: string;

  constructor(status: number, field: string, message: string) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

/** Reads a body as UTF-8 text of at most `limitBytes`. Rejects with BadRequestError (400 or 413). */
export async function readText(request: IncomingMessage, limitBytes: number): Promise<string> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limitBytes) throw tooLarge(limitBytes, declared);
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) {
        request.pause();
        reject(tooLarge(limitBytes, size));
      } else chunks.push(chunk);
    });
    request.on("end", resolve);
    request.on("error", reject);
    request.on("close", () => {
      if (!request.complete) reject(new BadRequestError(400, "", "body is incomplete"));
    });
  });
  const only = chunks[0];
  const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  try {
    return UTF8.decode(body);
  } catch {
    throw new BadRequestError(400, "", "body must be UTF-8 text");
  }
}

function tooLarge(limitBytes: number, found: number): BadRequestError {
  return new BadRequestError(
    413,
    "",
    `body must be at most ${limitBytes} bytes, found at least ${found}`,
  );
}

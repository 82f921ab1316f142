// The open server streams of one server, so that a shutdown can end them with a status that tells
// clients to go elsewhere.

import { KinglyError } from "@kingly/base";

/** Something that ends. */
export interface Closable {
  /** Ends with a status. */
  end(error: KinglyError): void;
}

/** All open streams. */
export class StreamSet {
  readonly #open = new Set<Closable>();
  #closing = false;

  /** Adds a stream. Throws Unavailable while the server stops. */
  add(stream: Closable): void {
    if (this.#closing) throw new KinglyError("Unavailable", "the server is stopping");
    this.#open.add(stream);
  }

  /** Forgets a stream that has ended. */
  remove(stream: Closable): void {
    this.#open.delete(stream);
  }

  /** Ends all streams. */
  close(): void {
    this.#closing = true;
    for (const stream of this.#open) {
      stream.end(new KinglyError("Unavailable", "the server is stopping; try another one"));
    }
  }
}

// The terminal: one line per event, colours only on a TTY, and on a TTY one changing line at the
// bottom for what is going on right now.

/** Where the story is told. */
export interface Terminal {
  /** A line that stays. */
  line(text: string): void;
  /** The changing last line; "" clears it. Nothing without a TTY. */
  status(text: string): void;
  readonly paint: Paint;
}

/** Colours, or nothing at all. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

function painter(on: boolean): Paint {
  const code = (open: number, close: number) => (text: string) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    green: code(32, 39),
    red: code(31, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
  };
}

const CLEAR_LINE = "\r\u001b[2K";

/** A terminal on standard output; `startMs` is time zero of the stamps. */
export function createTerminal(stream: NodeJS.WriteStream, startMs: number): Terminal {
  const tty = stream.isTTY === true;
  const paint = painter(tty && process.env["NO_COLOR"] === undefined);
  let shown = "";
  const stamp = (): string => {
    const seconds = (Date.now() - startMs) / 1000;
    return paint.dim(`${seconds.toFixed(1).padStart(6)}s`);
  };
  return {
    paint,
    line(text: string): void {
      if (shown !== "") stream.write(CLEAR_LINE);
      stream.write(text === "" ? "\n" : `${stamp()}  ${text}\n`);
      if (shown !== "") stream.write(shown);
    },
    status(text: string): void {
      if (!tty) return;
      const width = (stream.columns ?? 80) - 1;
      shown = text.slice(0, width);
      stream.write(`${CLEAR_LINE}${shown}`);
    },
  };
}

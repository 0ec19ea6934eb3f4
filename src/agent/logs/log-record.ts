/**
 * The form of a log file: `<time> [<tag>] <bytes>\n`, time as ISO 8601 UTC with milliseconds. The tag is `out` or
 * `err`; with a `+` after it the line is not complete, and the next record of that stream continues it. So
 * every read can be written out at once, whole lines or not, and nothing waits in memory for its newline. The tag `lost`
 * stands where lines are missing that could not be written: how many, and why.
 */

export type LogStream = "out" | "err";

export interface LogRecord {
  /** Unix ms. */
  readonly at: number;
  readonly stream: LogStream;
  /** The line continues in the next record of this stream. */
  readonly open: boolean;
  readonly bytes: Buffer;
  /** So many lines before it could not be written. */
  readonly missed?: number;
}

export interface LogLine {
  /** Unix ms at which its end was read. */
  readonly at: number;
  readonly stream: LogStream;
  readonly bytes: Buffer;
  /** It was longer than {@link LONGEST_LINE}, and this is not its last piece. */
  readonly split: boolean;
  /** Its newline has not come yet. */
  readonly unfinished?: true;
  /** So many lines before it could not be written. */
  readonly missed?: number;
}

/** Lines that one read brought whole, each with its newline. */
export interface LogBlock {
  /** Unix ms. */
  readonly at: number;
  readonly stream: LogStream;
  readonly bytes: Buffer;
}

export function* linesOf({ at, stream, bytes }: LogBlock): Iterable<LogLine> {
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    yield { at, stream, bytes: bytes.subarray(start, end), split: false };
    start = end + 1;
  }
}

/** Longer lines are delivered in pieces of this size, bytes. */
export const LONGEST_LINE = 64 * 1024;
export const NEWLINE = 0x0a;
const TIME_LENGTH = 24;

/**
 * Encodes what one read of a stream brought, as text of one character a byte (latin1): the engine puts pieces of text
 * together in less than half the time that it takes with buffers. Ends with a newline always.
 */
export function encodeRecords(stream: LogStream, chunk: Buffer, time: string): string {
  const text = chunk.toString("latin1");
  const closed = `${time} [${stream}] `;
  const end = text.lastIndexOf("\n") + 1;
  const whole = end === 0 ? "" : `${closed}${text.slice(0, end - 1).replaceAll("\n", `\n${closed}`)}\n`;
  return end < text.length ? `${whole}${time} [${stream}+] ${text.slice(end)}\n` : whole;
}

/** Decodes one record, given without its newline; undefined for a line that is none. */
export function decodeRecord(line: Buffer): LogRecord | undefined {
  const head = line.toString("latin1", 0, TIME_LENGTH + 8);
  const match = /^(\S{24}) \[(out|err)(\+?)\] /.exec(head);
  if (!match) return undefined;
  const [prefix, time = "", stream, plus] = match;
  const at = Date.parse(time);
  if (Number.isNaN(at)) return undefined;
  return { at, stream: stream as LogStream, open: plus === "+", bytes: line.subarray(prefix.length) };
}

/** How many lines are missing where this record stands; undefined for one that says nothing of that. */
export function lostIn(line: Buffer): number | undefined {
  const count = /^\S{24} \[lost\] (\d{1,15}) /.exec(line.toString("latin1", 0, TIME_LENGTH + 32))?.[1];
  return count === undefined ? undefined : Number(count);
}

export function lostRecord(time: string, lines: number, because: string): string {
  return `${time} [lost] ${lines} lines: ${because.replaceAll("\n", " ")}\n`;
}

/** Puts records together to lines, each stream for itself. */
export class LineJoiner {
  /** What has come of a line that is not over. */
  readonly #open = new Map<
    LogStream,
    { readonly parts: Buffer[]; readonly length: number; readonly at: number }
  >();
  /** Lines that could not be written before the next one that is whole. */
  #missed = 0;

  /** The lines that this record completes: none, one, or the pieces of a long one. */
  take(record: LogRecord): LogLine[] {
    this.#missed += record.missed ?? 0;
    const lines = this.#completed(record);
    if (this.#missed === 0 || lines[0] === undefined) return lines;
    lines[0] = { ...lines[0], missed: this.#missed };
    this.#missed = 0;
    return lines;
  }

  #completed({ at, stream, open, bytes }: LogRecord): LogLine[] {
    const before = this.#open.get(stream);
    const length = (before?.length ?? 0) + bytes.length;
    if (open && length <= LONGEST_LINE) {
      this.#keep(stream, { parts: before?.parts ?? [], length, at }, bytes);
      return [];
    }
    this.#open.delete(stream);
    let rest = before ? Buffer.concat([...before.parts, bytes], length) : bytes;
    const lines: LogLine[] = [];
    while (rest.length > LONGEST_LINE) {
      lines.push({ at, stream, bytes: rest.subarray(0, LONGEST_LINE), split: true });
      rest = rest.subarray(LONGEST_LINE);
    }
    if (open) this.#keep(stream, { parts: [], length: rest.length, at }, rest);
    else lines.push({ at, stream, bytes: rest, split: false });
    return lines;
  }

  /** As a copy: the bytes may stand in a buffer that is read into again. */
  #keep(stream: LogStream, line: { parts: Buffer[]; length: number; at: number }, bytes: Buffer): void {
    line.parts.push(Buffer.from(bytes));
    this.#open.set(stream, line);
  }

  /** What there is of lines that have begun and not ended. */
  unfinished(): LogLine[] {
    return [...this.#open].map(([stream, { parts, length, at }]) => ({
      at,
      stream,
      bytes: Buffer.concat(parts, length),
      split: false,
      unfinished: true,
    }));
  }

  /** True when lines of the stream have begun and not ended. */
  isOpen(stream: LogStream): boolean {
    return this.#open.has(stream);
  }
}

import { StringDecoder } from "node:string_decoder";

export interface ServerEvent {
  /** `message` if the server names none. */
  readonly type: string;
  readonly data: string;
}

/**
 * Server-sent events, from a body that comes in pieces of any size. Skips events without data, which servers send first so
 * that clients can resume, and an event that the end of the body cuts off.
 */
export class ServerEvents {
  readonly #decoder = new StringDecoder("utf8");
  /** The unfinished line. */
  #line = "";
  #type = "";
  #data: string[] = [];
  #first = true;
  /** The last piece ended with CR: a LF at the start of the next belongs to it. */
  #afterReturn = false;
  #lastId: string | undefined;
  #retry: number | undefined;

  /** Id of the newest event that has one, also of one without data: from there a server can go on. */
  get lastId(): string | undefined {
    return this.#lastId;
  }

  /** How long to wait before that, ms, if the server has said it. */
  get retry(): number | undefined {
    return this.#retry;
  }

  /** The events that this piece completes. */
  take(piece: Buffer): ServerEvent[] {
    const found: ServerEvent[] = [];
    // Each piece is searched only once: a line of megabytes may come byte by byte.
    const [start = "", ...lines] = this.#decode(piece).split(/\r\n|\n|\r/);
    this.#line += start;
    for (const next of lines) {
      const event = this.#takeLine(this.#line);
      if (event !== undefined && event.data !== "") found.push(event);
      this.#line = next;
    }
    return found;
  }

  #decode(piece: Buffer): string {
    let text = this.#decoder.write(piece);
    if (text === "") return text;
    if (this.#first) text = text.replace(/^\ufeff/, "");
    this.#first = false;
    if (this.#afterReturn) text = text.replace(/^\n/, "");
    this.#afterReturn = text.endsWith("\r");
    return text;
  }

  /** The event that this line completes, if any. */
  #takeLine(line: string): ServerEvent | undefined {
    if (line === "") {
      const event = { type: this.#type || "message", data: this.#data.join("\n") };
      this.#type = "";
      this.#data = [];
      return event;
    }
    const data = valueIn(line, "data");
    if (data !== undefined) this.#data.push(data);
    this.#type = valueIn(line, "event") ?? this.#type;
    this.#lastId = valueIn(line, "id") ?? this.#lastId;
    const retry = valueIn(line, "retry");
    if (retry !== undefined && /^\d{1,9}$/.test(retry)) this.#retry = Number(retry);
    return undefined;
  }
}

function valueIn(line: string, field: string): string | undefined {
  if (line === field) return "";
  if (!line.startsWith(field) || line[field.length] !== ":") return undefined;
  return line.slice(field.length + (line[field.length + 1] === " " ? 2 : 1));
}

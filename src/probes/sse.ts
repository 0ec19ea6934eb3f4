import { StringDecoder } from "node:string_decoder";

/**
 * The data of server-sent events, from a body that comes in pieces of any size. An event without data, which servers
 * send first so that a client can resume there, is left out; so is one that the end of the body cuts off.
 */
export class EventData {
  readonly #decoder = new StringDecoder("utf8");
  /** The line that is not over. */
  #line = "";
  #data: string[] = [];
  #first = true;
  /** The last piece ended with CR: a LF at the start of the next belongs to it. */
  #afterReturn = false;

  /** The data of the events that are whole with this piece. */
  take(piece: Buffer): string[] {
    const found: string[] = [];
    // Each piece is searched once: a line of megabytes may come byte by byte.
    const [start = "", ...lines] = this.#decode(piece).split(/\r\n|\n|\r/);
    this.#line += start;
    for (const next of lines) {
      const data = this.#takeLine(this.#line);
      if (data !== undefined && data !== "") found.push(data);
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

  /** An event's data, when this line ends it. */
  #takeLine(line: string): string | undefined {
    if (line === "") {
      const data = this.#data.join("\n");
      this.#data = [];
      return data;
    }
    if (line === "data") this.#data.push("");
    if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
    return undefined;
  }
}

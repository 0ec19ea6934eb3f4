import type { Position } from "../place.ts";
import type { KdlArgument, KdlNode } from "./kdl-parser.ts";
import { MAX_DEPTH } from "./nesting.ts";

/**
 * The part of KDL 2 that nearly all configurations are written in: nodes, values, properties, blocks and `//` comments.
 * Making the library's parser takes longer than all else that a command does to read its files, so it is asked only for
 * what is not of this part, and for whatever is wrong.
 */

/** The nodes of a text that is sound and plain; undefined for any other, whatever it is. */
export function plainKdl(text: string): readonly KdlNode[] | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    return new PlainReader(text).document();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

/** Characters that KDL forbids, or that end lines or begin a file in ways that are rare. */
const UNUSUAL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000B-\u001F\u007F\u0085\u200E\u200F\u2028-\u202E\u2066-\u2069\uD800-\uDFFF\uFEFF]/;
const SPACE = /[ \t]*/y;
/** Of all that can stand bare: what begins as no number does. */
const WORD = /(?:--?)?[A-Za-z_][\w.:@+*,%~-]*/y;
const NUMBER = /[+-]?\d+(?:\.\d+)?/y;
const KEYWORD = /#(?:true|false|null)/y;
const KEYWORDS: Readonly<Record<string, unknown>> = { "#true": true, "#false": false, "#null": null };
/** Bare, these are mistakes. */
const RESERVED = new Set(["true", "false", "null", "inf", "-inf", "nan"]);
const COMMENT = /\/\/[^\n]*/y;
const QUOTED = /[^"\\\n]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  "\\": "\\",
  '"': '"',
  b: "\b",
  f: "\f",
  s: " ",
};

/** It says nothing: the library reads the text again. */
class NotPlain extends Error {}
const NOT_PLAIN = new NotPlain();

class PlainReader {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): KdlNode[] {
    const nodes = this.#nodes();
    return this.#at === this.#text.length ? nodes : this.#refuse();
  }

  /** Up to the end of the text, or to the brace that ends the block. */
  #nodes(): KdlNode[] {
    const nodes: KdlNode[] = [];
    for (;;) {
      this.#take(SPACE);
      const next = this.#text[this.#at];
      if (next === undefined || next === "}") return nodes;
      if (next === "\n") this.#newLine();
      else if (next === "/") this.#comment();
      else nodes.push(this.#node());
    }
  }

  #node(): KdlNode {
    const position = this.#position();
    const name = this.#string();
    const own: KdlArgument[] = [];
    const properties: KdlNode[] = [];
    for (;;) {
      const isApart = this.#take(SPACE) !== "";
      const next = this.#text[this.#at];
      const isOver = next === undefined || next === "\n" || next === ";" || next === "}" || next === "/";
      if (isOver || next === "{") {
        const children = isOver ? [] : this.#block();
        if (next !== "}") this.#end();
        return {
          name,
          annotation: undefined,
          position,
          arguments: own,
          entries: [...properties, ...children],
          properties: properties.length,
        };
      }
      if (!isApart) this.#refuse();
      this.#entry(own, properties);
    }
  }

  #entry(own: KdlArgument[], properties: KdlNode[]): void {
    const position = this.#position();
    const argument = this.#argument();
    if (this.#text[this.#at] !== "=") {
      own.push(argument);
      return;
    }
    const { value: name, annotation } = argument;
    if (typeof name !== "string" || annotation !== undefined) this.#refuse();
    this.#at++;
    const value = this.#argument();
    properties.push({ name: name as string, position, arguments: [value], entries: [], properties: 0 });
  }

  /** `(env)"NAME"`, or a value alone. */
  #argument(): KdlArgument {
    const position = this.#position();
    if (this.#text[this.#at] !== "(") return { value: this.#value(), annotation: undefined, position };
    this.#at++;
    const annotation = this.#string();
    if (this.#text[this.#at++] !== ")") this.#refuse();
    return { value: this.#value(), annotation, position };
  }

  #value(): unknown {
    const keyword = this.#take(KEYWORD);
    if (keyword !== "") return this.#whole(KEYWORDS[keyword]);
    const number = this.#take(NUMBER);
    return number === "" ? this.#string() : this.#whole(Number.parseFloat(number));
  }

  #string(): string {
    if (this.#text[this.#at] === '"') return this.#quoted();
    const word = this.#take(WORD);
    return word === "" || RESERVED.has(word) ? this.#refuse() : this.#whole(word);
  }

  #quoted(): string {
    if (this.#text.startsWith('"""', this.#at)) this.#refuse();
    this.#at++;
    let read = "";
    for (;;) {
      read += this.#take(QUOTED);
      const mark = this.#text[this.#at++];
      if (mark === '"') return this.#whole(read);
      const escaped = mark === "\\" ? ESCAPES[this.#text[this.#at++] ?? ""] : undefined;
      read += escaped ?? this.#refuse();
    }
  }

  #block(): KdlNode[] {
    if (++this.#depth > MAX_DEPTH) this.#refuse();
    this.#at++;
    const nodes = this.#nodes();
    if (this.#text[this.#at++] !== "}") this.#refuse();
    this.#depth--;
    this.#take(SPACE);
    return nodes;
  }

  /** What ends a node; the brace that ends the block around it is left. */
  #end(): void {
    const next = this.#text[this.#at];
    if (next === "\n") this.#newLine();
    else if (next === ";") this.#at++;
    else if (next === "/") this.#comment();
    else if (next !== undefined && next !== "}") this.#refuse();
  }

  /** To the end of its line. */
  #comment(): void {
    if (this.#take(COMMENT) === "") this.#refuse();
    if (this.#at < this.#text.length) this.#newLine();
  }

  #newLine(): void {
    this.#line++;
    this.#lineStart = ++this.#at;
  }

  #position(): Position {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  /** A value that nothing goes on from, such as a letter from a number. */
  #whole<Value>(value: Value): Value {
    const next = this.#text[this.#at];
    return next === undefined || " \t\n;={}/)".includes(next) ? value : this.#refuse();
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += taken.length;
    return taken;
  }

  #refuse(): never {
    throw NOT_PLAIN;
  }
}

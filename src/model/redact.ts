import type { BridgeFacts } from "./bridge-facts.ts";
import { own } from "./own.ts";
import type { McpFacts } from "./probe-report.ts";
import type { EnvValue, SecretValues } from "./spec-parts.ts";

/** A line of output, short enough for an explanation. Only what is redacted may be cut: a half secret is not found. */
function cut(line: string, longest: number): string {
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

/** Shorter pieces of a secret stand in too many harmless words. */
const SHORTEST_SECRET = 4;
/** Of shorter values only what they are is looked for, and not what they look like in other writings. */
const SHORTEST_ENCODED = 8;

interface Piece {
  readonly text: string;
  /** What is shown in its place. */
  readonly instead: string;
}

type Env = Readonly<Record<string, EnvValue>>;

/**
 * What of secrets is looked for: each whole, line by line, and as programs write it where it has to fit. All that an
 * env file says counts as secret, and much of it is not: what stands in every log would only make that unreadable.
 */
function piecesOf(secrets: SecretValues, env: Env): readonly Piece[] {
  const looked = Object.entries(secrets).filter(
    ([name, value]) => !isOfEnvFile(own(env, name)) || !isHarmless(value),
  );
  const pieces = looked.flatMap(([name, value]) =>
    [value, ...value.split(/\r?\n/)]
      .flatMap((piece) => (piece.length < SHORTEST_ENCODED ? [piece] : [piece, ...writingsOf(piece)]))
      .map((text) => ({ text, instead: `(secret ${name})` })),
  );
  return (
    pieces
      .filter(({ text }) => text.trim().length >= SHORTEST_SECRET)
      // The longest first: one secret may hold another.
      .sort((a, b) => b.text.length - a.text.length)
  );
}

const isOfEnvFile = (value: EnvValue | undefined) => typeof value === "object" && "envFile" in value.secret;

const HARMLESS_WORDS =
  /^(true|false|yes|no|on|off|null|none|auto|default|dev|development|prod|production|staging|test|testing|local|localhost|debug|info|warn|warning|error|trace|verbose|utf-?8)$/i;

/** Numbers, the words that settings are made of, and plain paths. */
function isHarmless(value: string): boolean {
  if (/^[\d.,:_+-]+$/.test(value) || HARMLESS_WORDS.test(value)) return true;
  return /^(~|\.{0,2})\/[\w./ -]*$/.test(value) && !/[\w-]{24}/.test(value);
}

/** A text in URLs, in hexadecimal digits, and within base64 (RFC 4648, both alphabets), wherever it begins there. */
function writingsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const url = encodeURIComponent(text);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // Characters at both ends are also made of what stands before and after.
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const forUrls = base64.map((each) => each.replaceAll("+", "-").replaceAll("/", "_"));
  const all = [url, url.replaceAll("%20", "+"), hex, hex.toUpperCase(), ...base64, ...forUrls];
  return [...new Set(all)].filter((each) => each !== text);
}

/** A server may print its secrets; what is passed on of its output in an explanation does not. */
function redact(line: string, pieces: readonly Piece[]): string {
  return pieces.reduce((so, { text, instead }) => withoutPiece(so, text, instead), line);
}

/** A probe cuts what a server tells it, megabytes perhaps, before that comes here: `…` may end half a secret. */
function withoutPiece(text: string, piece: string, instead: string): string {
  const parts = text.replaceAll(piece, instead).split("…");
  const last = parts.pop() ?? "";
  return [...parts.map((part) => withoutEnd(part, piece, instead)), last].join("…");
}

/** `text` without a beginning of `piece` at its end. */
function withoutEnd(text: string, piece: string, instead: string): string {
  for (let length = Math.min(text.length, piece.length - 1); length >= SHORTEST_SECRET; length--) {
    if (text.endsWith(piece.slice(0, length))) return text.slice(0, -length) + instead;
  }
  return text;
}

const KEPT_SECRETS = 4;
const LONGEST_EVIDENCE = 220;
const LONGEST_LINE = 2000;

/** Makes what one server says fit for an explanation: without its secrets, also former ones, which older lines hold. */
export class Redactor {
  #known: readonly (readonly Piece[])[];

  /** `env` says where each of them is from. */
  constructor(secrets: SecretValues, env: Env) {
    this.#known = [piecesOf(secrets, env)];
  }

  /** From now on it has these. */
  renew(secrets: SecretValues, env: Env): void {
    this.#known = [piecesOf(secrets, env), ...this.#known].slice(0, 1 + KEPT_SECRETS);
  }

  /** Length of the longest text that it looks for; 0 when there is none. */
  get longest(): number {
    return Math.max(0, ...this.#known.flat().map(({ text }) => text.length));
  }

  evidence(text: string): string {
    return cut(this.#hide(text), LONGEST_EVIDENCE);
  }

  /** A whole text, however long. */
  text(text: string): string {
    return this.#hide(text);
  }

  /** Of a line that may go on: what may be the beginning of a secret at its end is hidden too. */
  unfinished(text: string): string {
    return this.#known
      .flat()
      .reduce((so, piece) => withoutEnd(so, piece.text, piece.instead), this.#hide(text));
  }

  line(text: string): string {
    return cut(this.#hide(text), LONGEST_LINE);
  }

  /** A server may name itself, or a tool, after a secret. */
  facts({ serverName, serverVersion, tools, ...rest }: McpFacts): McpFacts {
    return {
      ...rest,
      ...(serverName !== undefined && { serverName: this.evidence(serverName) }),
      ...(serverVersion !== undefined && { serverVersion: this.evidence(serverVersion) }),
      ...(tools && { tools: tools.map((tool) => this.evidence(tool)) }),
    };
  }

  /** A client may say any name. */
  bridge(facts: BridgeFacts): BridgeFacts {
    const sessions = facts.sessions.map(({ client, ...session }) => ({
      ...session,
      ...(client !== undefined && { client: this.evidence(client) }),
    }));
    return { ...facts, sessions };
  }

  #hide(text: string): string {
    return this.#known.reduce(redact, text);
  }
}

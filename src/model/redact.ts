import type { McpFacts } from "./probe-report.ts";
import type { SecretValues } from "./spec-parts.ts";

/** A line of output, short enough for an explanation. Only what is redacted may be cut: a half secret is not found. */
function cut(line: string, longest: number): string {
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

/** Shorter pieces of a secret stand in too many harmless words. */
const SHORTEST_SECRET = 4;

/** A server may print its secrets, whole or line by line; what is passed on of its output in an explanation does not. */
function redact(line: string, secrets: SecretValues): string {
  const pieces = Object.entries(secrets).flatMap(([name, value]) =>
    [value, ...value.split(/\r?\n/)].map((piece) => ({ name, piece })),
  );
  return (
    pieces
      .filter(({ piece }) => piece.trim().length >= SHORTEST_SECRET)
      // The longest first: one secret may hold another.
      .sort((a, b) => b.piece.length - a.piece.length)
      .reduce((text, { name, piece }) => withoutPiece(text, piece, `(secret ${name})`), line)
  );
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
  #secrets: readonly SecretValues[];

  constructor(secrets: SecretValues) {
    this.#secrets = [secrets];
  }

  /** From now on it has these. */
  renew(secrets: SecretValues): void {
    this.#secrets = [secrets, ...this.#secrets].slice(0, 1 + KEPT_SECRETS);
  }

  evidence(text: string): string {
    return cut(this.#hide(text), LONGEST_EVIDENCE);
  }

  /** A whole text, however long. */
  text(text: string): string {
    return this.#hide(text);
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

  #hide(text: string): string {
    return this.#secrets.reduce(redact, text);
  }
}

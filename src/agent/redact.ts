import type { SecretValues } from "../model/spec.ts";

/** A line of output, short enough for an explanation. Only what is redacted may be cut: a half secret is not found. */
export function cut(line: string, longest: number): string {
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

/** Shorter pieces of a secret stand in too many harmless words. */
const SHORTEST_SECRET = 4;

/** A server may print its secrets, whole or line by line; what is passed on of its output in an explanation does not. */
export function redact(line: string, secrets: SecretValues): string {
  const pieces = Object.entries(secrets).flatMap(([name, value]) =>
    [value, ...value.split(/\r?\n/)].map((piece) => ({ name, piece })),
  );
  return (
    pieces
      .filter(({ piece }) => piece.trim().length >= SHORTEST_SECRET)
      // The longest first: one secret may hold another.
      .sort((a, b) => b.piece.length - a.piece.length)
      .reduce((text, { name, piece }) => text.replaceAll(piece, `(secret ${name})`), line)
  );
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

  line(text: string): string {
    return cut(this.#hide(text), LONGEST_LINE);
  }

  #hide(text: string): string {
    return this.#secrets.reduce(redact, text);
  }
}

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

import type { SecretValues } from "../model/spec.ts";

const LONGEST_REASON_LINE = 2000;

/** A line of output, short enough for an explanation. */
export function cut(line: string): string {
  return line.length > LONGEST_REASON_LINE ? `${line.slice(0, LONGEST_REASON_LINE)}…` : line;
}

/** Shorter pieces of a secret stand in too many harmless words. */
const SHORTEST_SECRET = 4;

/** A server may print its secrets, whole or line by line; what is passed on of its output in an explanation does not. */
export function redact(line: string, secrets: SecretValues): string {
  const pieces = Object.entries(secrets).flatMap(([name, value]) =>
    [value, ...value.split(/\r?\n/)].map((piece) => ({ name, piece })),
  );
  return pieces
    .filter(({ piece }) => piece.trim().length >= SHORTEST_SECRET)
    .reduce((text, { name, piece }) => text.replaceAll(piece, `(secret ${name})`), line);
}

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

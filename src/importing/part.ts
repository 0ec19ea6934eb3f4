import type { KeyPath } from "../config/place.ts";

/** A value of a source with the lines of its parts: what every parser here makes. Lines are 1-based. */

export type Scalar = string | number | boolean | null;
type PartMap = ReadonlyMap<string, Part>;
export interface Part {
  readonly value: Scalar | readonly Part[] | PartMap;
  readonly line: number;
}

/** Something in a source that is not carried over. */
export interface Lost {
  readonly line: number;
  readonly path: KeyPath;
  /** A clause. */
  readonly why: string;
}

const isMap = (value: Part["value"]): value is PartMap => value instanceof Map;

/** A plain value of a part. */
export function plain({ value }: Part): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isMap(value)) return value;
  return Object.fromEntries([...value].map(([key, part]) => [key, plain(part)]));
}

/**
 * What is read of a source, noted: every leaf is either carried over or listed with a reason. What nobody asked for is
 * listed too, so no reader can pass over a key in silence.
 */
export class Reading {
  readonly #root: Part;
  readonly #path: KeyPath;
  readonly #seen = new Set<Part>();
  readonly #lost: Lost[] = [];

  constructor(root: Part, path: KeyPath = []) {
    this.#root = root;
    this.#path = path;
  }

  get top(): Piece {
    return new Piece(this.#root, this.#path, this);
  }

  note(part: Part): void {
    for (const leaf of leavesOf(part)) this.#seen.add(leaf);
  }

  lose(part: Part, path: KeyPath, why: string): void {
    this.note(part);
    this.#lost.push({ line: part.line, path, why });
  }

  /** Everything that is not carried over, in the order of its lines. */
  end(reason: (path: KeyPath) => string): Lost[] {
    const walk = (part: Part, path: KeyPath): void => {
      if ([...leavesOf(part)].every((leaf) => this.#seen.has(leaf))) return;
      const parts = childrenOf(part);
      const isUnread = parts.length === 0 || [...leavesOf(part)].every((leaf) => !this.#seen.has(leaf));
      if (isUnread && path.length > this.#path.length) this.lose(part, path, reason(path));
      else for (const [key, child] of parts) walk(child, [...path, key]);
    };
    walk(this.#root, this.#path);
    return this.#lost.sort((a, b) => a.line - b.line);
  }
}

function childrenOf({ value }: Part): [string | number, Part][] {
  if (Array.isArray(value)) return value.map((part, i) => [i, part]);
  return isMap(value) ? [...value] : [];
}

/** Parts without parts of their own; an empty list or map is one. */
function* leavesOf(part: Part): Generator<Part> {
  const parts = childrenOf(part);
  if (parts.length === 0) yield part;
  for (const [, child] of parts) yield* leavesOf(child);
}

/** A part of a source that is being read. Looking at it notes nothing; taking does. */
export class Piece {
  readonly #part: Part;
  readonly path: KeyPath;
  readonly #reading: Reading;

  constructor(part: Part, path: KeyPath, reading: Reading) {
    this.#part = part;
    this.path = path;
    this.#reading = reading;
  }

  get line(): number {
    return this.#part.line;
  }

  /** The last key of its path. */
  get name(): string {
    return String(this.path.at(-1) ?? "");
  }

  /** The plain value, without noting that it was read. */
  get value(): unknown {
    return plain(this.#part);
  }

  get isMap(): boolean {
    return isMap(this.#part.value);
  }

  get isList(): boolean {
    return Array.isArray(this.#part.value);
  }

  /** Its parts, in their order. */
  get parts(): Piece[] {
    return childrenOf(this.#part).map(([key, part]) => new Piece(part, [...this.path, key], this.#reading));
  }

  at(key: string): Piece | undefined {
    if (!isMap(this.#part.value)) return undefined;
    const part = this.#part.value.get(key);
    return part && new Piece(part, [...this.path, key], this.#reading);
  }

  /** The first of these keys that is there. */
  first(...keys: readonly string[]): Piece | undefined {
    for (const key of keys) {
      const piece = this.at(key);
      if (piece) return piece;
    }
    return undefined;
  }

  /** All of it is carried over. */
  take(): unknown {
    this.#reading.note(this.#part);
    return this.value;
  }

  /** It is not carried over, for this reason. */
  lose(why: string): void {
    this.#reading.lose(this.#part, this.path, why);
  }

  /** Text, or a number or a boolean as text. What is none of that is lost. */
  text(): string | undefined {
    const { value } = this.#part;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      this.#reading.note(this.#part);
      return String(value);
    }
    if (value === null) this.#reading.note(this.#part);
    else this.lose("it is not a text");
    return undefined;
  }

  /** A list of texts; one text is a list of one. */
  texts(): string[] {
    if (!this.isList) {
      const one = this.text();
      return one === undefined ? [] : [one];
    }
    this.#reading.note(this.#part);
    return this.parts.flatMap((part) => part.text() ?? []);
  }

  /** Texts by name: a map, or a list of `NAME=value`. What is null stands for nothing. */
  pairs(): Map<string, { readonly text: string; readonly piece: Piece }> {
    const found = new Map<string, { text: string; piece: Piece }>();
    this.#reading.note({ ...this.#part, value: [] });
    for (const piece of this.parts) {
      if (this.isMap) {
        const text = piece.text();
        if (text !== undefined) found.set(piece.name, { text, piece });
        continue;
      }
      const text = piece.text();
      const at = text?.indexOf("=") ?? -1;
      if (text === undefined) continue;
      if (at < 1) piece.lose("it gives the variable no value: its value would come from the surroundings");
      else found.set(text.slice(0, at), { text: text.slice(at + 1), piece });
    }
    if (this.parts.length === 0) this.take();
    return found;
  }
}

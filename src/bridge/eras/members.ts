import { membersOf, type Path, spanOf } from "../splice.ts";

/** Adds and takes away members of objects in the text of a message. All the rest stays as it was written. */

/** JSON text, put in as it is. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Sets members of the object there, which is made where it is missing. Text that is no object there stays as it is. */
export function withMembers(text: string, path: Path, members: Readonly<Record<string, unknown>>): string {
  const span = spanOf(text, path);
  if (span === undefined) {
    const [last, above] = [path.at(-1), path.slice(0, -1)];
    return last === undefined ? text : withMembers(text, above, { [last]: members });
  }
  const bare = withoutMembers(text, path, Object.keys(members));
  if (bare[span.from] !== "{") return text;
  const added = Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${JSON.stringify(name)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`,
    );
  const isEmpty = /^\{\s*\}/.test(bare.slice(span.from));
  const after = added.length === 0 || isEmpty ? "" : ",";
  return `${bare.slice(0, span.from + 1)}${added.join(",")}${after}${bare.slice(span.from + 1)}`;
}

/** Takes members away from the object there. */
export function withoutMembers(text: string, path: Path, names: readonly string[]): string {
  const span = spanOf(text, path);
  if (span === undefined || text[span.from] !== "{") return text;
  const all = [...membersOf(text, span.from)];
  const kept = all.filter(({ name }) => !names.includes(name));
  if (kept.length === all.length) return text;
  const inside = kept.map(({ at, to }) => text.slice(at, to)).join(",");
  return `${text.slice(0, span.from)}{${inside}}${text.slice(span.to)}`;
}

/** The text of a value; undefined: it is not there. */
export function rawAt(text: string, path: Path): Raw | undefined {
  const span = spanOf(text, path);
  return span && new Raw(text.slice(span.from, span.to));
}

import { ago } from "../model/elapsed.ts";
import { visible } from "../model/visible.ts";
import { painter, type Screen } from "./screen.ts";
import { displayWidth, padEnd, wrapLines } from "./width.ts";

/** One configuration that a person has agreed to. */
export interface TrustRow {
  readonly path: string;
  readonly to: "all" | "servers";
  readonly at_unix_ms: number;
  /** The folder that was agreed to is still there. */
  readonly is_there: boolean;
}

const WHAT = { all: "everything", servers: "its servers" } as const;

/** The configurations that somebody agreed to, with a newline at the end. */
export function trustView(rows: readonly TrustRow[], screen: Screen): string {
  if (rows.length === 0) return "You have not agreed to any configuration yet.\n";
  const paint = painter(screen);
  const shorten = screen.shorten ?? ((path: string) => path);
  const width = Math.max(...rows.map(({ path }) => displayWidth(visible(shorten(path)))));
  const lines = rows.map(({ path, to, at_unix_ms, is_there }) => {
    const when = `${WHAT[to]}, ${ago(screen.now - at_unix_ms)}`;
    const gone = is_there
      ? ""
      : paint("yellow", " (another folder is there now, or none: you will be asked)");
    return `${padEnd(visible(shorten(path)), width)}  ${paint("dim", when)}${gone}`;
  });
  return wrapLines(`${lines.join("\n")}\n`, screen.width);
}

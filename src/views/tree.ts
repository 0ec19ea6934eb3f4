import type { Missing, Observed } from "../model/observed.ts";
import type { ServerSpec } from "../model/spec.ts";
import { visible } from "../model/visible.ts";
import { stateStyle, stateText } from "./list.ts";
import { type Paint, painter, type Screen } from "./screen.ts";
import { cut, displayWidth } from "./width.ts";

/** One server of the tree. */
export interface TreeNode extends Pick<Observed, "name" | "project" | "state"> {
  readonly dependsOn: ServerSpec["dependsOn"];
  /** Null: not known yet. */
  readonly ready: boolean | null;
  readonly held: boolean;
  readonly paused: boolean;
  readonly unwatched?: boolean;
  readonly sleeping?: boolean;
  readonly waitsFor: readonly Missing[];
}

export interface TreeScreen extends Pick<Screen, "colour" | "width"> {
  /** The terminal shows no box-drawing characters. */
  readonly ascii: boolean;
}

interface Strokes {
  readonly branch: string;
  readonly last: string;
  readonly down: string;
}

const BOX: Strokes = { branch: "├─ ", last: "└─ ", down: "│  " };
const ASCII: Strokes = { branch: "|- ", last: "`- ", down: "|  " };

export function strokesOf(ascii: boolean): Strokes {
  return ascii ? ASCII : BOX;
}

/** A line: what is drawn before the name, the name, and what is said of it. */
interface Line {
  readonly stem: string;
  readonly name: string;
  readonly node: TreeNode | undefined;
  readonly notes: readonly string[];
}

/**
 * Servers with what they depend on below them, each as often as it is needed; what is below it stands there once. At
 * the top is what nothing depends on. With a newline at its end.
 */
export function treeView(nodes: readonly TreeNode[], screen: TreeScreen): string {
  if (nodes.length === 0) return "No servers. `xy apply` brings up what the configuration declares.\n";
  const paint = painter(screen);
  const lines = new Drawing(nodes, strokesOf(screen.ascii)).lines();
  const column = Math.max(...lines.map(({ stem, name }) => widthOf(stem, name)));
  return lines.map((line) => `${textOf(line, column, screen.width, paint)}\n`).join("");
}

class Drawing {
  readonly #nodes: readonly TreeNode[];
  readonly #strokes: Strokes;
  readonly #byKey: ReadonlyMap<string, TreeNode>;
  readonly #several: boolean;
  readonly #seen = new Set<TreeNode>();
  readonly #lines: Line[] = [];

  constructor(nodes: readonly TreeNode[], strokes: Strokes) {
    this.#nodes = nodes;
    this.#strokes = strokes;
    this.#byKey = new Map(nodes.map((node) => [keyOf(node.project, node.name), node]));
    this.#several = new Set(nodes.map(({ project }) => project)).size > 1;
  }

  lines(): readonly Line[] {
    const needed = new Set(
      this.#nodes.flatMap(({ project, dependsOn }) => dependsOn.map(({ server }) => keyOf(project, server))),
    );
    for (const node of this.#nodes) if (!needed.has(keyOf(node.project, node.name))) this.#draw(node);
    // Of a circle, which separate applies can leave behind, nobody is at the top.
    for (const node of this.#nodes) if (!this.#seen.has(node)) this.#draw(node);
    return this.#lines;
  }

  /** With a stack of its own: a chain of any length fits. */
  #draw(root: TreeNode): void {
    const name = this.#several ? keyOf(root.project, root.name) : root.name;
    const stack: Drawn[] = [{ node: root, name, stem: "", below: "", notes: [] }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop())
      stack.push(...this.#line(top).reverse());
  }

  /** Adds the line of one server; answers with what is to be drawn below it. */
  #line({ node, name, stem, below, notes }: Drawn): Drawn[] {
    const again = node !== undefined && this.#seen.has(node);
    this.#lines.push({ stem, name: visible(name), node, notes: again ? [...notes, "(see above)"] : notes });
    if (node === undefined || again) return [];
    this.#seen.add(node);
    return node.dependsOn.map(({ server, condition }, i) => {
      const last = i === node.dependsOn.length - 1;
      return {
        node: this.#byKey.get(keyOf(node.project, server)),
        name: server,
        stem: below + (last ? this.#strokes.last : this.#strokes.branch),
        below: below + (last ? "   " : this.#strokes.down),
        notes: condition === "ready" ? [] : [`(needed ${condition})`],
      };
    });
  }
}

interface Drawn extends Line {
  /** What is drawn before the lines below this one. */
  readonly below: string;
}

function textOf(
  { stem, name, node, notes }: Line,
  column: number,
  width: number | undefined,
  paint: Paint,
): string {
  const gap = " ".repeat(column - widthOf(stem, name) + 2);
  const [state, style] =
    node === undefined ? ["not applied", "dim" as const] : [stateOf(node), styleOf(node)];
  const room = width === undefined ? undefined : Math.max(8, width - column - 2);
  const rest = notes.length === 0 ? "" : ` ${notes.join(" ")}`;
  const short = cut(state, room === undefined ? undefined : Math.max(8, room - displayWidth(rest)));
  return `${paint("dim", stem)}${name}${gap}${paint(style, short)}${paint("dim", rest)}`;
}

function stateOf({
  state,
  ready,
  held,
  paused,
  unwatched = false,
  sleeping = false,
  waitsFor,
}: TreeNode): string {
  const [first, ...others] = waitsFor;
  if (first !== undefined) {
    const more = others.length === 0 ? "" : ` (+${others.length})`;
    return visible(`waits for ${first.server}${more}: ${first.state}`);
  }
  const text = stateText({ state, held, paused, unwatched, sleeping, waitsFor: [] });
  if (state !== "running") return text;
  return `${text}, ${ready === true ? "ready" : ready === null ? "not ready yet" : "not ready"}`;
}

function styleOf({ state, ready, waitsFor }: TreeNode) {
  if (waitsFor.length > 0) return "yellow";
  return stateStyle(state, ready === null ? "unknown" : ready ? "ok" : "failing");
}

/** Each character of a stem takes one column. */
const widthOf = (stem: string, name: string) => stem.length + displayWidth(name);

const keyOf = (project: string, name: string) => `${project}/${name}`;

/** By the locale's character set, as the first of these that is set names it. */
export function showsBoxes({ TERM, LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  return TERM !== "dumb" && /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}

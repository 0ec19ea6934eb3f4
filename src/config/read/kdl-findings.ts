import { type KeyPath, type Places, type Position, spelled } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import type { KdlNode, KdlProblem } from "./kdl-parser.ts";
import { duplicateMessage } from "./yaml.ts";

interface GrowingPlaces extends Places {
  readonly parts: Map<string, GrowingPlaces>;
}

const placesAt = (position: Position): GrowingPlaces => ({
  key: position,
  value: position,
  parts: new Map(),
});

/** What is found while nodes are read, beside their values: where each key stands, and what is wrong. */
export class KdlFindings {
  readonly problems: KdlProblem[] = [];
  /** Paths of the schema that unknown keys were probably meant for. */
  readonly meant: string[] = [];
  readonly places = placesAt({ line: 1, column: 1 });

  mean(paths: readonly string[]): void {
    if (this.meant.length < ENOUGH_PROBLEMS) this.meant.push(...paths);
  }

  /** Whether this is the first node of its name; a second one is a problem. `taken`: names so far, and where. */
  first(taken: Map<string, Position>, node: KdlNode): boolean {
    const first = taken.get(node.name);
    if (first) this.problem(node.position, duplicateMessage(node.name, first));
    else taken.set(node.name, node.position);
    return first === undefined;
  }

  annotation(annotation: string, position: Position, wayOut = "only values in env may have one"): void {
    this.problem(position, `cannot use the type annotation (${annotation}) here: ${wayOut}`);
  }

  /** A part without a place of its own gets the place of what contains it. */
  place(path: KeyPath, position: Position): void {
    const keys = spelled(path, "kebab").map(String);
    let around = this.places;
    for (const key of keys.slice(0, -1)) {
      const next = around.parts.get(key) ?? placesAt(around.key);
      around.parts.set(key, next);
      around = next;
    }
    around.parts.set(keys.at(-1) ?? "", placesAt(position));
  }

  problem({ line, column }: Position, message: string): void {
    if (this.problems.length < ENOUGH_PROBLEMS) this.problems.push({ line, column, message });
  }
}

import type { Diagnostic } from "../../model/diagnostic.ts";
import { problemAt } from "../check/keys.ts";
import { formatPath, type KeyPath, placeOf, type Source } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";

/** Problems with texts that no process could be given, anywhere in a document. */
export function textProblems(source: Source, root: unknown): Diagnostic[] {
  const problems: Diagnostic[] = [];
  const refuse = (path: KeyPath, what: string) => {
    if (problems.length === ENOUGH_PROBLEMS) return;
    const field = JSON.stringify(formatPath(path, source.document.style)).slice(1, -1);
    problems.push(problemAt(placeOf(source, path), `cannot use ${what} in ${field}: remove it`));
  };
  const walk = (value: unknown, path: KeyPath): void => {
    if (typeof value === "string") {
      if (value.includes("\0")) refuse(path, "a NUL character");
      if (/\p{Surrogate}/u.test(value)) refuse(path, "half a character (a lone surrogate)");
    } else if (typeof value === "object" && value !== null) {
      for (const [key, of] of Object.entries(value)) {
        // In an object that name has another meaning: the key would be lost silently.
        if (key === "__proto__") refuse([...path, key], 'the name "__proto__"');
        walk(of, [...path, Array.isArray(value) ? Number(key) : key]);
      }
    }
  };
  walk(root, []);
  return problems;
}

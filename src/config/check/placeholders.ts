import type { Diagnostic } from "../../model/diagnostic.ts";
import type { Machine } from "../../model/machine.ts";
import { hostWord } from "../../model/machine-words.ts";
import { nearest } from "../../model/nearest.ts";
import { isObject } from "../../model/object.ts";
import { own } from "../../model/own.ts";
import { formatPath, type KeyPath, placeOf, type Source } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import { listPart, objectPart, pathPart, type Shape } from "../read/shape.ts";
import { problemAt } from "./keys.ts";

/** Words in braces that stand for the machine in paths: `{host}`, `{user}`, `{os}` and `{home}`. */

const WORDS = ["host", "user", "os", "home"] as const;
type Word = (typeof WORDS)[number];

/** What paths are filled in from. */
export type PathFacts = Pick<Machine, Word>;

const isWord = (word: string): word is Word => WORDS.some((one) => one === word);

/** As other tools call them. */
const OTHER_NAMES: Readonly<Record<string, Word>> = {
  hostname: "host",
  host_name: "host",
  username: "user",
  login: "user",
  homedir: "home",
  home_dir: "home",
  platform: "os",
};

/** The known word that an unknown one probably means; undefined for most, which are parts of names. */
function meantBy(word: string): Word | undefined {
  const plain = word.toLowerCase();
  const other = own(OTHER_NAMES, plain);
  if (other !== undefined || isWord(plain)) return other ?? (plain as Word);
  return word.length < 3 ? undefined : (nearest(word, WORDS) as Word | undefined);
}

/** In double braces a word is literal text in single braces. */
const IN_BRACES = /\{\{([A-Za-z]\w*)\}\}|\{([A-Za-z]\w*)\}/g;

/** A path with the words of this machine in it. Every other brace stays. */
export function fillPath(path: string, facts: PathFacts): string {
  if (!path.includes("{")) return path;
  return path.replace(IN_BRACES, (whole, twice: string | undefined, once: string | undefined) => {
    if (twice !== undefined) return meantBy(twice) === undefined ? whole : `{${twice}}`;
    if (once === undefined || !isWord(once)) return whole;
    return once === "host" ? hostWord(facts.host) : facts[once];
  });
}

/** A path that {@link fillPath} gives back as it is: what it would fill in, or has a question about, in double braces. */
export const literalPath = (path: string): string =>
  path.replace(/\{([A-Za-z]\w*)\}/g, (whole, word: string) =>
    meantBy(word) === undefined ? whole : `{${whole}}`,
  );

/** What templates of arguments know, and paths do not. */
const TEMPLATE = /\{(port|name|project|env\.[A-Za-z_]\w*)\}/;

/** Words in braces, in the paths of a document, that nothing fills in. `shape`: the document's. */
export function placeholderProblems(source: Source, root: unknown, shape: Shape): Diagnostic[] {
  const problems: Diagnostic[] = [];
  const look = (text: string, path: KeyPath, is: "file" | "program") => {
    const tell = (message: string, severity: Diagnostic["severity"]) => {
      if (problems.length < ENOUGH_PROBLEMS)
        problems.push({ ...problemAt(placeOf(source, path), message), severity, ...serverOf(path) });
    };
    const field = formatPath(path[0] === "servers" ? path.slice(2) : path, source.document.style);
    const isPath = is === "file" || text.includes("/");
    for (const [, , word] of text.matchAll(IN_BRACES)) {
      if (word === undefined) continue;
      const meant = meantBy(word);
      if (meant === undefined) continue;
      if (!isPath)
        tell(
          `nothing fills in {${word}} in ${field}: a bare program name is looked up as written; write its path`,
          "warning",
        );
      else if (!isWord(word))
        tell(
          `cannot fill in {${word}} in ${field}: did you mean {${meant}}? Write {{${word}}} if it is part of the name`,
          "error",
        );
    }
    const other = TEMPLATE.exec(text)?.[1];
    if (other !== undefined)
      tell(
        `nothing fills in {${other}} in ${field}: paths may use {host}, {user}, {os} and {home}; write the value out`,
        "warning",
      );
  };
  const walk = (value: unknown, as: Shape, path: KeyPath): void => {
    if (typeof value === "string") {
      const is = pathPart(as);
      if (is !== undefined && value.includes("{")) look(value, path, is);
    } else if (Array.isArray(value)) {
      const list = listPart(as);
      if (list) for (const [i, item] of value.entries()) walk(item, list.item, [...path, i]);
    } else if (isObject(value)) {
      const keys = objectPart(as)?.keys;
      for (const [key, of] of Object.entries(value)) {
        const inner = as.kind === "map" ? as.value : keys?.get(key);
        if (inner) walk(of, inner, [...path, key]);
      }
    }
  };
  walk(root, shape, []);
  return problems;
}

const serverOf = ([first, name]: KeyPath): Pick<Diagnostic, "server"> =>
  first === "servers" && typeof name === "string" ? { server: name } : {};

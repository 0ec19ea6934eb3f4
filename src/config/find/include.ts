import { type Stats, statSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { isGlob } from "../../model/glob.ts";
import { show } from "../check/issues.ts";
import { problemAt } from "../check/keys.ts";
import { fillPath, type PathFacts } from "../check/placeholders.ts";
import { expandPath, realOf } from "../paths.ts";
import { formatPlace, placeOf, sourceFolder } from "../place.ts";
import { DATA_EXTENSIONS } from "../read/data.ts";
import { PROGRAM_EXTENSIONS, readFailure } from "../read/document.ts";
import { expandGlob } from "./glob.ts";
import { type Owner, standingOfFile } from "./ownership.ts";
import type { RootFile } from "./root-file.ts";

/** Finds and checks the files that a root includes, up to a bound. Reads none of them. */

type Place = Pick<Diagnostic, "file" | "line" | "column" | "path">;

export interface Included {
  /** As it was written, absolute; links as they are. */
  readonly file: string;
  /** Real path. */
  readonly real: string;
  /** Where it is included. */
  readonly place: Place;
  /** It lies in another folder than the root. */
  readonly isOutside: boolean;
}

/** Most files that a root may include, in total and nested. */
const MOST_FILES = 200;
const MOST_DEEP = 10;

export interface IncludeContext {
  /** The root's real path; `servers` is its `servers.d`, under the name that the root goes by. */
  readonly root: string;
  readonly servers: string;
  readonly owner: Owner;
  readonly machine: PathFacts;
}

/** Remembers what was included, so that no file is included twice, or endlessly. */
export class Includes {
  readonly #context: IncludeContext;
  /** Real path → where it was included. */
  readonly #seen = new Map<string, Place>();

  constructor(context: IncludeContext) {
    this.#context = context;
  }

  /** What a file includes, in its order. `chain`: real paths from the root's own file to this one. */
  async of(
    file: RootFile,
    chain: readonly string[],
  ): Promise<{ readonly files: readonly Included[]; readonly problems: readonly Diagnostic[] }> {
    const files: Included[] = [];
    const problems: Diagnostic[] = [];
    const here = new Set<string>();
    for (const { pattern, place } of patternsOf(file)) {
      const found = this.#filesOf(pattern, file);
      if (typeof found === "string") {
        problems.push(problemAt(place, found));
        continue;
      }
      if (found.files.length === 0) problems.push(nothingFound(pattern, place));
      for (const path of found.files) {
        const real = realOf(path) ?? path;
        const isItself = real === chain.at(-1);
        if (here.has(real) || (isItself && found.isPattern)) continue;
        here.add(real);
        const fault = this.#fault(path, real, chain) ?? (await this.#standing(path));
        if (fault !== undefined) {
          problems.push(problemAt(place, `cannot include ${path}: ${fault}`));
          continue;
        }
        this.#seen.set(real, place);
        const below = relative(this.#context.root, real);
        const isOutside = below === ".." || below.startsWith("../");
        files.push({ file: path, real, place, isOutside });
      }
    }
    return { files, problems };
  }

  /** The files that a pattern matches, or why there are none. A plain path is always meant, so nothing is filtered. */
  #filesOf(
    pattern: string,
    { source }: RootFile,
  ): { readonly files: readonly string[]; readonly isPattern: boolean } | string {
    const { machine } = this.#context;
    const path = expandPath(pattern, sourceFolder(source), machine);
    const info = infoOf(path);
    if (!isGlob(path) || typeof info !== "string") {
      // On another machine it may be another file.
      const isPattern = fillPath(pattern, machine) !== pattern;
      return typeof info === "string" && isPattern
        ? { files: [], isPattern }
        : { files: [path], isPattern: false };
    }
    const found = expandGlob(globFrom(pattern, sourceFolder(source), machine));
    if (found === undefined)
      return `cannot include ${show(pattern)}: too many files to search; name the folder`;
    return { files: found.filter(isConfiguration), isPattern: true };
  }

  #fault(path: string, real: string, chain: readonly string[]): string | undefined {
    const info = infoOf(path);
    if (typeof info === "string") return info;
    if (info.isDirectory()) return `it is a folder; name its files, as in ${join(path, "*.kdl")}`;
    const extension = extname(path);
    if (PROGRAM_EXTENSIONS.includes(extension))
      return "it is a program; import it in xy.config.ts, or write it as data";
    if (!DATA_EXTENSIONS.includes(extension))
      return `name a file that ends with ${DATA_EXTENSIONS.join(", ")}`;
    const { root, servers } = this.#context;
    if (dirname(real) === join(root, "servers.d") || dirname(path) === servers)
      return "files in servers.d are read anyway; remove it here";
    const from = chain.indexOf(real);
    if (from >= 0)
      return `it includes itself: ${[...chain.slice(from), real].join(" -> ")}; remove one of these includes`;
    const seen = this.#seen.get(real);
    if (seen) return `it is already included at ${formatPlace(seen)}; keep one of them`;
    if (chain.length > MOST_DEEP)
      return `it is nested more than ${MOST_DEEP} includes deep; include it from a file nearer to the top`;
    if (this.#seen.size >= MOST_FILES)
      return `more than ${MOST_FILES} files are included; merge some of them`;
    return undefined;
  }

  async #standing(path: string): Promise<string | undefined> {
    const standing = await standingOfFile(path, this.#context.owner);
    if (standing.is === "another's")
      return `${standing.reason}, which could change what runs here; copy it into a folder of your own`;
    return standing.is === "unsafe" ? standing.problem : undefined;
  }
}

/** A pattern, absolute: what stands before its first star leads through links as a path does. */
function globFrom(pattern: string, folder: string, machine: PathFacts): string {
  const parts = pattern.split("/");
  const first = parts.findIndex(isGlob);
  const before = parts.slice(0, first).join("/");
  const start = before === "" ? (pattern.startsWith("/") ? "/" : ".") : before;
  return join(expandPath(start, folder, machine), fillPath(parts.slice(first).join("/"), machine));
}

function patternsOf({ value, source }: RootFile): { pattern: string; place: Place }[] {
  const { include } = value;
  if (typeof include === "string") return [{ pattern: include, place: placeOf(source, ["include"]) }];
  if (!Array.isArray(include)) return [];
  return include.flatMap((pattern: unknown, i) =>
    typeof pattern === "string" && pattern !== ""
      ? [{ pattern, place: placeOf(source, ["include", i]) }]
      : [],
  );
}

const nothingFound = (pattern: string, place: Place): Diagnostic => ({
  ...problemAt(
    place,
    `nothing is included: no file matches ${show(pattern)}; correct the pattern if one should`,
  ),
  severity: "warning",
});

/** Whether a pattern may include the file: notes and the like may be beside it. */
const isConfiguration = (path: string): boolean => {
  const info = infoOf(path);
  return typeof info !== "string" && info.isFile() && DATA_EXTENSIONS.includes(extname(path));
};

function infoOf(path: string): Stats | string {
  try {
    return statSync(path);
  } catch (error) {
    return readFailure(error);
  }
}

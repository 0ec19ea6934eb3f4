import { join } from "node:path";
import { z } from "zod";
import type { Diagnostic } from "../model/diagnostic.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { isObject } from "../model/object.ts";
import type { Power } from "../model/power.ts";
import { rootInput, serverInput } from "../model/server.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { schemaProblems, show } from "./check/issues.ts";
import { problemAt } from "./check/keys.ts";
import { placeholderProblems } from "./check/placeholders.ts";
import { powersOf } from "./check/powers.ts";
import { isProgram, type Root } from "./find/discover.ts";
import { type IncludeContext, Includes } from "./find/include.ts";
import type { RootFile } from "./find/root-file.ts";
import { realOf } from "./paths.ts";
import { placeOf, type Reading, type Source } from "./place.ts";
import { readDocument } from "./read/document.ts";
import { type ObjectShape, type Shape, shapeOf } from "./read/shape.ts";
import { textProblems } from "./read/texts.ts";
import type { EvaluationOptions } from "./read/typescript.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One server as one place says it, before the defaults. */
export interface Candidate {
  readonly name: string;
  readonly source: Source;
  readonly value: Fields;
  /** The file whose defaults it has. */
  readonly within: RootFile | undefined;
}

/** What all files of a root say, each part checked on its own. */
export interface Collected {
  /** `xy.config.*`, if there is one that could be read, and behind it the files that are included. */
  readonly roots: readonly RootFile[];
  /** In name order; of one name as they were found. */
  readonly candidates: readonly Candidate[];
  readonly problems: readonly Diagnostic[];
  readonly files: readonly string[];
  /** What the files can execute or send. */
  readonly powers: readonly Power[];
  /** Every file could be read. */
  readonly complete: boolean;
  /** Servers whose own files could not be read; undefined if there may be others that are not known. */
  readonly unread: ReadonlySet<string> | undefined;
}

/** A server's settings may be spread over its own place and the defaults. */
const someOfServer = serverInput.partial();
const someOfRoot = rootInput.extend({
  servers: z.record(rootInput.shape.project.unwrap(), someOfServer).optional(),
});

/**
 * Reads every file of a root; one that cannot be read leaves the others as they are. A program comes last: `agree` is
 * asked before it is evaluated, with all that the other files can do.
 */
export async function collect(
  root: Root,
  evaluation: EvaluationOptions,
  around: Omit<IncludeContext, "root" | "servers">,
  agree: (powers: readonly Power[]) => Promise<boolean>,
): Promise<Collected> {
  const collection = new Collection(root, evaluation, around);
  if (root.main !== undefined && !isProgram(root.main)) await collection.readMain(root.main);
  await collection.readServers();
  if (root.main !== undefined && isProgram(root.main)) {
    collection.powers.unshift({ can: "program", place: { file: root.main } });
    // After an abort nothing is asked any more, and no program starts.
    if (evaluation.signal.aborted || (await agree(collection.powers))) await collection.readMain(root.main);
    // The caller who asked reports the refusal.
    else collection.isRefused();
  }
  return collection.whole();
}

class Collection {
  readonly powers: Power[] = [];
  readonly #root: Root;
  readonly #evaluation: EvaluationOptions;
  readonly #problems: Diagnostic[] = [];
  readonly #includes: Includes;
  readonly #roots: RootFile[] = [];
  /** Of these. */
  readonly #servers: Candidate[] = [];
  /** With files of their own. */
  readonly #alone: Omit<Candidate, "within">[] = [];
  readonly #files: string[] = [];
  #complete: boolean;
  #areNamesKnown: boolean;
  readonly #unread = new Set<string>();

  constructor(root: Root, evaluation: EvaluationOptions, around: Omit<IncludeContext, "root" | "servers">) {
    this.#includes = new Includes({ ...around, root: root.folder, servers: join(root.path, "servers.d") });
    this.#root = root;
    this.#evaluation = evaluation;
    this.#complete = root.diagnostics.every((diagnostic) => diagnostic.severity !== "error");
    this.#areNamesKnown = this.#complete;
  }

  async readMain(file: string): Promise<void> {
    await this.#readRoot(file, undefined, [realOf(file) ?? file]);
  }

  /** `chain`: real paths of the files that lead to this one, itself the last. */
  async #readRoot(file: string, parent: RootFile | undefined, chain: readonly string[]): Promise<void> {
    const rootShape = shapeOf(rootInput) as ObjectShape;
    const reading = await readDocument(file, rootShape, this.#evaluation);
    const document = this.#take(reading);
    if (!document) return;
    const parts = [document, ...(reading.again ?? [])];
    for (const part of parts) this.#check(someOfRoot, rootShape, part);
    const value = isObject(document.value) ? document.value : {};
    const own: RootFile = { source: { document, at: [] }, value, ...withoutUndefined({ parent }) };
    this.#roots.push(own);
    for (const part of parts) this.#servers.push(...serversIn(part, own));
    if (parent && value.project !== undefined)
      this.#problems.push(problemAt(placeOf(own.source, ["project"]), NAMED_ELSEWHERE));
    const { files, problems } = await this.#includes.of(own, chain);
    this.#problems.push(...problems);
    // A file that could not be included may declare any server.
    if (problems.some(({ severity }) => severity === "error")) this.#areNamesKnown = false;
    for (const { file: included, real, place, isOutside } of files) {
      if (isOutside) this.powers.push({ can: "include", included, place });
      await this.#evaluation.pause();
      if (this.#evaluation.signal.aborted) {
        this.#areNamesKnown = this.#complete = false;
        return;
      }
      await this.#readRoot(included, own, [...chain, real]);
    }
  }

  async readServers(): Promise<void> {
    const serverShape = shapeOf(serverInput) as ObjectShape;
    for (const { name, file } of this.#root.servers) {
      if (!NAME_PATTERN.test(name)) {
        const message = `cannot use ${show(name)} as the name of a server: ${NAME_RULE}; rename the file`;
        this.#problems.push(problemAt({ file }, message));
        continue;
      }
      await this.#evaluation.pause();
      const document = this.#take(await readDocument(file, serverShape, this.#evaluation), name);
      if (this.#evaluation.signal.aborted) {
        this.#areNamesKnown = false;
        return;
      }
      if (!document) continue;
      this.#check(someOfServer, serverShape, document, name);
      if (isObject(document.value))
        this.#alone.push({ name, source: { document, at: [] }, value: document.value });
    }
  }

  isRefused(): void {
    this.#complete = this.#areNamesKnown = false;
  }

  whole(): Collected {
    const [main] = this.#roots;
    const first = this.#roots.map(({ source }) => source.document.file);
    const alone = this.#alone.map((one) => ({ ...one, within: main }));
    return {
      roots: this.#roots,
      candidates: [...this.#servers, ...alone].sort(byName),
      problems: this.#problems,
      files: [...new Set([...first, ...this.#files])],
      powers: this.powers,
      complete: this.#complete,
      unread: this.#areNamesKnown ? this.#unread : undefined,
    };
  }

  #take({ document, problems }: Reading, server?: string): Reading["document"] {
    this.#problems.push(...problems.map((problem) => ({ ...problem, ...withoutUndefined({ server }) })));
    if (document) this.#files.push(document.file);
    else {
      this.#complete = false;
      if (server === undefined) this.#areNamesKnown = false;
      else this.#unread.add(server);
    }
    return document;
  }

  #check(schema: z.ZodType, shape: Shape, document: Source["document"], server?: string): void {
    const source = { document, at: [] };
    if (!isProgram(document.file)) this.powers.push(...powersOf(document));
    const found = [
      ...schemaProblems(schema, document.value, source),
      ...textProblems(source, document.value),
      ...placeholderProblems(source, document.value, shape),
    ];
    this.#problems.push(...found.map((one) => ({ ...one, ...withoutUndefined({ server }) })));
  }
}

const NAMED_ELSEWHERE =
  "cannot name the project in an included file: only the main file may name it; remove this line";
const NAME_RULE = 'it takes a-z, 0-9, "-" and "_", at most 63 characters, and begins with a letter or digit';

const byName = (a: Candidate, b: Candidate) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function serversIn(document: Source["document"], within: RootFile): Candidate[] {
  const { value } = document;
  const servers = isObject(value) && isObject(value.servers) ? Object.entries(value.servers) : [];
  return servers.flatMap(([name, own]) => {
    if (!NAME_PATTERN.test(name) || !isObject(own)) return [];
    return [{ name, source: { document, at: ["servers", name] }, value: own, within }];
  });
}

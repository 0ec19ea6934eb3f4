import { z } from "zod";
import type { Diagnostic } from "../model/diagnostic.ts";
import { NAME_PATTERN } from "../model/name.ts";
import type { Power } from "../model/power.ts";
import { rootInput, serverInput } from "../model/server.ts";
import { isProgram, type Root } from "./discover.ts";
import { schemaProblems, show } from "./issues.ts";
import { isMap, problemAt } from "./keys.ts";
import { formatPlace, placeOf, type Reading, type Source } from "./place.ts";
import { powersOf } from "./powers.ts";
import { readDocument } from "./read.ts";
import { type ObjectShape, shapeOf } from "./shape.ts";
import { textProblems } from "./texts.ts";
import type { Evaluation } from "./typescript.ts";

/** One server as one place says it, before the defaults. */
export interface Candidate {
  readonly name: string;
  readonly source: Source;
  readonly value: Readonly<Record<string, unknown>>;
}

/** What all files of a root say, each part checked by itself. */
export interface Collected {
  /** `xy.config.*`, if there is one that could be read. */
  readonly main?: { readonly source: Source; readonly value: Readonly<Record<string, unknown>> };
  /** In name order, each name once. */
  readonly candidates: readonly Candidate[];
  readonly problems: readonly Diagnostic[];
  readonly files: readonly string[];
  /** What the files can execute or send. */
  readonly powers: readonly Power[];
  /** Every file could be read. */
  readonly complete: boolean;
  /** Servers whose own files could not be read; undefined where there may be others that nobody knows of. */
  readonly unread: ReadonlySet<string> | undefined;
}

/** What is said of a server may be spread over its own place and the defaults. */
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
  evaluation: Evaluation,
  agree: (powers: readonly Power[]) => Promise<boolean>,
): Promise<Collected> {
  const problems: Diagnostic[] = [];
  const files: string[] = [];
  const powers: Power[] = [];
  let complete = root.diagnostics.every((diagnostic) => diagnostic.severity !== "error");
  const unread = new Set<string>();
  let areNamesKnown = complete;
  const take = ({ document, problems: found }: Reading, server?: string) => {
    problems.push(...found.map((problem) => (server === undefined ? problem : { ...problem, server })));
    if (document) files.push(document.file);
    else {
      complete = false;
      if (server === undefined) areNamesKnown = false;
      else unread.add(server);
    }
    return document;
  };
  const readMain = async (file: string): Promise<Collected["main"]> => {
    const document = take(await readDocument(file, shapeOf(rootInput) as ObjectShape, evaluation));
    if (!document) return undefined;
    const source = { document, at: [] };
    if (!isProgram(file)) powers.push(...powersOf(document));
    problems.push(
      ...schemaProblems(someOfRoot, document.value, source),
      ...textProblems(source, document.value),
    );
    return { source, value: isMap(document.value) ? document.value : {} };
  };

  let main = root.main !== undefined && !isProgram(root.main) ? await readMain(root.main) : undefined;
  const candidates: Candidate[] = [];
  const shape = shapeOf(serverInput) as ObjectShape;
  for (const { name, file } of root.servers) {
    if (!NAME_PATTERN.test(name)) {
      problems.push(
        problemAt(
          { file },
          `cannot use ${show(name)} as the name of a server: ${NAME_RULE}; rename the file`,
        ),
      );
      continue;
    }
    await evaluation.pause();
    const document = take(await readDocument(file, shape, evaluation), name);
    if (evaluation.signal.aborted) {
      areNamesKnown = false;
      break;
    }
    if (!document) continue;
    const source = { document, at: [] };
    powers.push(...powersOf(document));
    const found = [
      ...schemaProblems(someOfServer, document.value, source),
      ...textProblems(source, document.value),
    ];
    problems.push(...found.map((problem) => ({ ...problem, server: name })));
    if (isMap(document.value)) candidates.push({ name, source, value: document.value });
  }
  if (root.main !== undefined && isProgram(root.main)) {
    powers.unshift({ can: "program", place: { file: root.main } });
    // Whoever has ended the reading is asked nothing any more, and no program is begun.
    if (evaluation.signal.aborted || (await agree(powers))) main = await readMain(root.main);
    // What is refused is told by whoever was asked.
    else complete = areNamesKnown = false;
  }
  const { once, duplicates } = uniqueNames([...(main ? rootServers(main) : []), ...candidates]);
  const all = [...problems, ...duplicates];
  const mainFile = main?.source.document.file;
  const ordered = mainFile === undefined ? files : [mainFile, ...files.filter((file) => file !== mainFile)];
  return {
    ...(main && { main }),
    candidates: once,
    problems: all,
    files: ordered,
    powers,
    complete,
    unread: areNamesKnown ? unread : undefined,
  };
}

const NAME_RULE = 'it takes a-z, 0-9, "-" and "_", at most 63 characters, and begins with a letter or digit';

function rootServers({ source, value }: NonNullable<Collected["main"]>): Candidate[] {
  const servers = isMap(value.servers) ? Object.entries(value.servers) : [];
  return servers.flatMap(([name, own]) => {
    if (!NAME_PATTERN.test(name) || !isMap(own)) return [];
    return [{ name, source: { document: source.document, at: ["servers", name] }, value: own }];
  });
}

function uniqueNames(candidates: readonly Candidate[]): { once: Candidate[]; duplicates: Diagnostic[] } {
  const byName = new Map<string, Candidate>();
  const duplicates: Diagnostic[] = [];
  for (const candidate of candidates) {
    const first = byName.get(candidate.name);
    if (!first) byName.set(candidate.name, candidate);
    else {
      const place = formatPlace(placeOf(first.source, []));
      const message = `cannot declare the server ${candidate.name} twice: it is declared already at ${place}; keep one of them`;
      duplicates.push({ ...problemAt(placeOf(candidate.source, []), message), server: candidate.name });
    }
  }
  const once = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { once, duplicates };
}

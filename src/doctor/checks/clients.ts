import { accessSync, constants, existsSync } from "node:fs";
import { look, rowOf } from "../../clients/look.ts";
import { ownedIn } from "../../clients/owned.ts";
import { type FileRecord, fileRecords, targetOfRecord } from "../../clients/records.ts";
import { targetsOf } from "../../clients/targets.ts";
import type { ClientLook, ClientTarget, OwnedEntry, Shape, Value } from "../../clients/types.ts";
import type { Finding } from "../../model/finding.ts";
import { clientUrl } from "../../model/mcp-url.ts";
import { isObject } from "../../model/object.ts";
import { shellWord } from "../../model/text.ts";
import { isTaken, peekRecord } from "../../system/files.ts";
import { type Around, counted, row } from "../check.ts";
import { addressOf } from "../recorded.ts";

/** An entry of a client's file that is xy's, or starts xy. */
interface EntryFacts {
  readonly name: string;
  /** `project/server` that xy wrote it for; undefined: a person wrote it. */
  readonly owner?: string;
  /** What `--config` finds the configuration that declares it. */
  readonly config?: string;
  readonly is:
    | { readonly wrong: "no-server" }
    /** Its address, and that of its server. */
    | { readonly wrong: "address"; readonly says: string; readonly should: string }
    /** It starts xy by a path that is gone. */
    | { readonly wrong: "program"; readonly path: string }
    | { readonly wrong: "missing" }
    | { readonly wrong: "changed" };
}

interface ClientsFacts {
  /** How many files were looked at. */
  readonly files: number;
  readonly clients: readonly {
    readonly title: string;
    readonly file: string;
    /** Whether xy has entries there. */
    readonly ours: boolean;
    /** Why it cannot be read. */
    readonly problem?: string;
    /** It cannot be written to. */
    readonly closed?: true;
    readonly entries: readonly EntryFacts[];
  }[];
}

export const clientsCheck = row<ClientsFacts>({
  id: "clients",
  title: "Clients",
  about:
    "whether the files of editors and assistants can be used, and whether xy's entries in them are there, lead to a server, and start a program that exists",
  async look(around) {
    const { state, os, home, env } = around;
    const records = state === undefined ? [] : fileRecords(state, peekRecord);
    const known = new Set(records.map(({ file }) => file));
    const others = home === undefined ? [] : targetsOf({ os, home, env });
    const targets: (readonly [ClientTarget, FileRecord | undefined])[] = [
      ...records.map((record) => [targetOfRecord(record), record] as const),
      ...others
        .filter(({ file }) => isTaken(file) && !known.has(file))
        .map((one) => [one, undefined] as const),
    ];
    const clients = await Promise.all(targets.map(([target, record]) => clientFacts(target, record, around)));
    return { files: clients.length, clients };
  },
  judge({ files, clients }) {
    return {
      summary: files === 0 ? "no files found" : counted(files, "file"),
      findings: clients.flatMap(findingsOf),
    };
  },
});

async function clientFacts(
  target: ClientTarget,
  record: FileRecord | undefined,
  around: Around,
): Promise<ClientsFacts["clients"][number]> {
  const { title } = rowOf(target.client);
  const known = { title, file: target.file, ours: record !== undefined };
  const seen = await look(target);
  if (!seen.ok) {
    const problem = seen.problems.map(({ message, line }) => (line ? `line ${line}: ${message}` : message));
    return { ...known, problem: problem.join("; "), entries: [] };
  }
  const entries = [...entriesOf(seen.value, record, around), ...goneEntries(seen.value, record, around)];
  const closed = record !== undefined && isTaken(target.file) && !isWritable(target.file);
  return { ...known, ...(closed && { closed: true }), entries };
}

function entriesOf(seen: ClientLook, record: FileRecord | undefined, around: Around): EntryFacts[] {
  return ownedIn(seen, record).flatMap((entry): EntryFacts[] => {
    const gone = goneProgram(entry.value, seen.shape);
    const { name, owner } = entry;
    const own = owner === undefined ? {} : ownFacts(owner, around);
    if (gone !== undefined) return [{ name, ...own, is: { wrong: "program", path: gone } }];
    return owner === undefined ? [] : wrongOf(entry, seen.shape, around).map((is) => ({ name, ...own, is }));
  });
}

function goneEntries({ entries }: ClientLook, record: FileRecord | undefined, around: Around): EntryFacts[] {
  if (record === undefined || around.state === undefined) return [];
  const there = new Set(entries.map(({ name }) => name));
  return Object.entries(record.entries)
    .filter(([name, { was }]) => !there.has(name) && was !== null)
    .map(([name, owner]) => ({ name, ...ownFacts(owner, around), is: { wrong: "missing" as const } }));
}

function ownFacts({ project, server }: { project: string; server: string }, { recorded }: Around) {
  const config = recorded.projects.find(({ name }) => name === project)?.record?.config;
  return { owner: `${project}/${server}`, ...(config !== undefined && { config }) };
}

function wrongOf(
  { value, owner, isChanged }: OwnedEntry,
  { http }: Shape,
  { recorded }: Around,
): EntryFacts["is"][] {
  const server = recorded.servers.find(
    (one) => owner && addressOf(one) === `${owner.project}/${owner.server}`,
  );
  if (server === undefined) return [{ wrong: "no-server" }];
  const says = isObject(value) && http !== undefined ? value[http.url] : undefined;
  const should = server.spec && clientUrl(server.spec);
  if (typeof says === "string" && should !== undefined && says !== should)
    return [{ wrong: "address", says, should }];
  return isChanged ? [{ wrong: "changed" }] : [];
}

/** The path by which an entry starts `xy connect`, if that is gone. */
function goneProgram(value: Value, { stdio }: Shape): string | undefined {
  if (!isObject(value)) return undefined;
  const words = [value[stdio.command], stdio.args === undefined ? [] : value[stdio.args]].flat();
  const texts = words.filter((word): word is string => typeof word === "string");
  const at = texts.indexOf("connect");
  // Either xy itself, or Node with its launcher.
  const isXy = at > 0 && /(^|\/)xy(\.js)?$/.test(texts[at - 1] ?? "");
  return isXy ? texts.slice(0, at).find((word) => word.startsWith("/") && !existsSync(word)) : undefined;
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function findingsOf({
  title,
  file,
  ours,
  problem,
  closed,
  entries,
}: ClientsFacts["clients"][number]): Finding[] {
  if (problem !== undefined)
    return [
      {
        id: "clients.unreadable",
        severity: ours ? "error" : "warning",
        what: `${problem} (${file})`,
        why: `${ours ? "xy cannot keep its entries there, and " : ""}${title} itself may not be able to read it. Mend the file by hand.`,
        mend: ours ? "xy clients" : null,
      },
    ];
  const found = entries.map((entry) => entryFinding(entry, title, file));
  if (closed)
    found.push({
      id: "clients.closed",
      severity: "error",
      what: `cannot write to the file of ${title}: ${file}`,
      why: "xy cannot keep its entries there.",
      mend: `chmod u+w ${shellWord(file)}`,
    });
  return found;
}

function entryFinding({ name, owner, config, is }: EntryFacts, title: string, file: string): Finding {
  const apply = config === undefined ? null : `xy apply --config ${shellWord(config)}`;
  const entry = `the entry ${name} of ${title}`;
  switch (is.wrong) {
    case "program":
      return {
        id: "clients.program",
        severity: "error",
        what: `${entry} starts xy by a path that is gone: ${is.path}`,
        why:
          owner === undefined
            ? `${title} cannot start it. xy did not write it: correct the path in ${file}`
            : `${title} cannot start it. An apply writes where xy is now.`,
        mend: owner === undefined ? null : apply,
      };
    case "address":
      return {
        id: "clients.address",
        severity: "error",
        what: `${entry} leads to ${is.says}, and ${owner} is at ${is.should}`,
        why: `${title} does not reach the server.`,
        mend: apply,
      };
    case "no-server":
      return {
        id: "clients.no-server",
        severity: "warning",
        what: `${entry} is for a server that is not there any more: ${owner}`,
        why: "xy wrote it, and has no record of the server. An apply of its project, or destroying that, removes the entry.",
        mend: apply ?? `xy destroy --project ${owner?.split("/")[0]}`,
      };
    case "missing":
      return {
        id: "clients.missing",
        severity: "warning",
        what: `${entry} is gone from ${file}`,
        why: `xy wrote it for ${owner}, and somebody has removed it. An apply writes it again.`,
        mend: apply,
      };
    case "changed":
      return {
        id: "clients.changed",
        severity: "note",
        what: `${entry} was changed since xy wrote it`,
        why: "The next apply restores it. `xy plan` shows the difference.",
        mend: apply,
      };
  }
}

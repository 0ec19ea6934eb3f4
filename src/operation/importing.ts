import * as fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { discover, isProgram, userFolder } from "../config/find/discover.ts";
import { formatPath } from "../config/place.ts";
import type { WrittenServer } from "../config/write/root-text.ts";
import { type ServerFormat, serverText } from "../config/write/server-text.ts";
import { type NamedDraft, named } from "../importing/import.ts";
import { dotenvText } from "../importing/secrets-file.ts";
import type { ClientName } from "../model/clients.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { ImportedServer, ImportReport, ImportSource } from "../model/imported.ts";
import { isCode, textIfFile, writeAtomic } from "../system/files.ts";
import { ensureDir, ensurePrivateDir, homeOf } from "../system/paths.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { agreeTo } from "./consent.ts";
import { declaredIn, faultsOf, readAsData } from "./import-check.ts";
import { readClient } from "./import-clients.ts";
import { addedTo, type RootText, rootText, writeRoot } from "./import-root.ts";
import { type ReadSource, readSource, type SourceRequest } from "./import-source.ts";
import { readMachine } from "./machine.ts";

/** From files of other tools to files in servers.d. What is there already is never written over. */

export interface ImportRequest extends SourceRequest {
  readonly files: readonly string[];
  /** Clients whose own files are read. */
  readonly clients: readonly ClientName[];
  readonly format: ServerFormat;
  /** Folder of the configuration; absent: the one that is found here, else the account's own. */
  readonly folder?: string | undefined;
  readonly cwd: string;
  readonly dryRun: boolean;
  /** Into the root's own file, and not into files of their own. */
  readonly intoRoot: boolean;
}

export type ImportOutcome =
  | { readonly ok: true; readonly report: ImportReport }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

export async function importFiles(request: ImportRequest): Promise<ImportOutcome> {
  const found = await sourcesOf(request);
  const problems = found.flatMap((one) => ("problem" in one ? one.problem : []));
  if (problems.length > 0) return { ok: false, problems };
  const read = found.flatMap((one) => ("problem" in one ? [] : one));
  const root = await rootOf(request);
  if ("problems" in root) return { ok: false, problems: root.problems };
  const folder = join(root.folder, "servers.d");
  const own = request.intoRoot ? rootText(root.main, root.folder) : undefined;
  if (own && "problem" in own) return { ok: false, problems: [own.problem] };
  const drafts = named(read);
  const there = root.isNew ? undefined : await readAsData(root, request);
  const places = { folder, own, declared: declaredIn(there), secrets: secretsFolder(root, request) };
  const planned = await Promise.all(drafts.map((one) => plannedOf(one, places, request)));
  const fresh = planned.filter(({ server }) => server.state === "new");
  const added =
    own &&
    (await addedTo(
      own,
      fresh.map(({ written }) => written),
    ));
  if (added && "problem" in added) return { ok: false, problems: [added.problem] };
  if (!request.dryRun && fresh.length > 0) {
    writeSecrets(fresh);
    if (own && added) writeRoot(own, added.text);
    else writeFiles(fresh, folder);
    // Who has just had all of it written need not be asked about it.
    if (root.isNew) agreeTo(request.state, fs.realpathSync(root.folder));
  }
  const faults = request.dryRun ? [] : await faultsOf(root, request);
  const sources = read.map(
    ({ file, what, drafts: own, others, lost, stops }): ImportSource => ({
      ...{ file, what, stops },
      servers: own.flatMap((draft) => {
        return planned.find(({ sources }) => sources.includes(draft))?.server ?? [];
      }),
      others: others.map(({ name, line, why }) => ({ name, line, why })),
      lost: lost.map(({ line, path, why }) => ({ line, key: formatPath(path, "camel"), why })),
    }),
  );
  const { dryRun } = request;
  const unknown = root.program === undefined ? {} : { program: root.program };
  return { ok: true, report: { folder, dryRun, sources, problems: faults, ...unknown } };
}

/** The files that were named, and those of clients that are not among them. */
async function sourcesOf(request: ImportRequest): Promise<(ReadSource | { readonly problem: Diagnostic })[]> {
  const found: (ReadSource | { readonly problem: Diagnostic })[] = [];
  const isNew = (file: string) => !found.some((one) => "file" in one && one.file === file);
  for (const file of request.files.map((one) => resolve(request.cwd, one)))
    found.push(await readSource(file, request));
  for (const client of request.clients)
    for (const one of await readClient(client, request))
      if ("problem" in one || isNew(one.file)) found.push(one);
  return found;
}

interface Root {
  readonly folder: string;
  /** Its own file. */
  readonly main?: string | undefined;
  /** A program that is part of it: what it declares is not known. */
  readonly program?: string;
  readonly project: string;
  /** There is no configuration yet. */
  readonly isNew: boolean;
}

async function rootOf({
  folder,
  cwd,
  env,
}: ImportRequest): Promise<Root | { readonly problems: readonly Diagnostic[] }> {
  const machine = readMachine(env);
  const own = userFolder({ env, machine });
  const explicit =
    folder === undefined ? undefined : ({ path: resolve(cwd, folder), from: "--config" } as const);
  const found = await discover({ cwd, env, machine, isPrivateGroup, ...(explicit && { explicit }) });
  if (found.ok) {
    const { folder, main } = found.value;
    const program = main !== undefined && isProgram(main) ? { program: main } : {};
    return { folder, project: projectOf(folder, own), isNew: false, main, ...program };
  }
  if (found.missing !== true && found.unsafe === true) return { problems: found.problems };
  const at = explicit?.path ?? own;
  return { folder: at, project: projectOf(at, own), isNew: true };
}

const projectOf = (folder: string, own: string) => (folder === own ? "default" : basename(folder));

function secretsFolder({ project }: Root, { env }: ImportRequest): string {
  const said = env.XDG_DATA_HOME;
  const data = said?.startsWith("/") ? said : join(homeOf(env), ".local/share");
  return join(data, "xy/secrets", project);
}

const HIDDEN = "(hidden)";

interface Planned {
  readonly sources: NamedDraft["sources"];
  readonly server: ImportedServer;
  readonly written: WrittenServer;
  readonly text: string;
  readonly secrets: string;
}

interface Places {
  readonly folder: string;
  readonly own: RootText | undefined;
  /** The file that declares a server already. */
  readonly declared: ReadonlyMap<string, string>;
  readonly secrets: string;
}

async function plannedOf(
  { name, draft, sources }: NamedDraft,
  { folder, own, declared, secrets: secretsIn }: Places,
  { format, env }: ImportRequest,
): Promise<Planned> {
  const { fields, secrets, credentials, remarks, doubts } = draft;
  const values = dotenvText(secrets);
  const secretsFile = freeFile(join(secretsIn, name), values);
  const home = homeOf(env);
  const written = secretsFile.startsWith(`${home}/`) ? `~${secretsFile.slice(home.length)}` : secretsFile;
  const all = secrets.size === 0 ? fields : { ...fields, envFile: [...(fields.envFile ?? []), written] };
  const comments = [...remarks, ...doubts.map((doubt) => `Not started by itself: ${doubt}.`)];
  const settings = all as Readonly<Record<string, unknown>>;
  const text = await serverText(settings, format, comments);
  const file = own?.file ?? join(folder, `${name}.${format}`);
  const others = ["kdl", "yaml", "yml", "json"].map((one) => join(folder, `${name}.${one}`));
  const there =
    others.find((one) => fs.lstatSync(one, { throwIfNoEntry: false }) !== undefined) ?? declared.get(name);
  const isSame = there === file && textIfFile(file) === text;
  return {
    ...{ sources, text, secrets: values, written: { name, settings, remarks: comments } },
    server: {
      name,
      file: there ?? file,
      state: there === undefined ? "new" : isSame ? "same" : "in-the-way",
      runs: [
        credentials.includes(-1) ? HIDDEN : (fields.command ?? ""),
        ...(fields.args ?? []).map((arg, i) => (credentials.includes(i) ? HIDDEN : arg)),
      ],
      ...(secrets.size > 0 && { secrets: { file: secretsFile, names: [...secrets.keys()] } }),
      remarks,
      doubts,
    },
  };
}

function writeSecrets(fresh: readonly Planned[]): void {
  for (const { server, secrets } of fresh) {
    if (server.secrets === undefined) continue;
    ensurePrivateDir(dirname(server.secrets.file));
    writeAtomic(server.secrets.file, secrets, { mode: 0o600, durable: true });
  }
}

function writeFiles(fresh: readonly Planned[], folder: string): void {
  ensureDir(folder, 0o755);
  for (const { server, text } of fresh) create(server.file, text);
}

/** Another project, or an earlier import, may have values in such a file: those stay what they are. */
function freeFile(stem: string, text: string): string {
  for (let number = 1; ; number++) {
    const file = number === 1 ? `${stem}.env` : `${stem}-${number}.env`;
    if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined || textIfFile(file) === text) return file;
  }
}

/** Whole, or not at all, and never over another file. */
function create(file: string, text: string): void {
  const draft = `${file}.tmp-${process.pid}`;
  fs.writeFileSync(draft, text, { flag: "wx", mode: 0o644 });
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    throw new Error(`cannot write ${file}: it has been made meanwhile; move it away, and import again`);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

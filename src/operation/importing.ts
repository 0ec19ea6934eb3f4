import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { problemAt } from "../config/check/keys.ts";
import { discover, userFolder } from "../config/find/discover.ts";
import { formatPath } from "../config/place.ts";
import { PROGRAM_EXTENSIONS, readText } from "../config/read/document.ts";
import { type ServerFormat, serverText } from "../config/write/server-text.ts";
import { type Imported, importedFrom, type NamedDraft, named } from "../importing/import.ts";
import { Unreadable } from "../importing/parse/lines.ts";
import { dotenvText } from "../importing/secrets-file.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { ImportedServer, ImportReport, ImportSource } from "../model/imported.ts";
import { isCode, textIfFile, writeAtomic } from "../system/files.ts";
import { type Environment, ensureDir, ensurePrivateDir, homeOf } from "../system/paths.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { killTree } from "../system/processes.ts";
import { agreeTo } from "./consent.ts";
import { readMachine } from "./machine.ts";

/** From files of other tools to files in servers.d. What is there already is never written over. */

/** A program that is asked for its configuration: how long it may take, ms, and how much it may print, bytes. */
const PROGRAM_BOUND = 10_000;
const MOST_PRINTED = 4 << 20;

export interface ImportRequest {
  readonly files: readonly string[];
  /** The tool that the files are of; found out when absent. */
  readonly tool?: string | undefined;
  readonly format: ServerFormat;
  /** Folder of the configuration; absent: the one that is found here, else the account's own. */
  readonly folder?: string | undefined;
  readonly cwd: string;
  readonly env: Environment;
  readonly dryRun: boolean;
  /** Whether a source that is a program may be run. */
  readonly mayRun: (file: string) => Promise<boolean>;
  readonly state: string;
}

export type ImportOutcome =
  | { readonly ok: true; readonly report: ImportReport }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

interface Read extends Imported {
  readonly file: string;
}

export async function importFiles(request: ImportRequest): Promise<ImportOutcome> {
  const read: Read[] = [];
  const problems: Diagnostic[] = [];
  for (const file of request.files.map((one) => resolve(request.cwd, one))) {
    const found = await readSource(file, request);
    if ("problem" in found) problems.push(found.problem);
    else read.push(found);
  }
  if (problems.length > 0) return { ok: false, problems };
  const root = await rootOf(request);
  if ("problems" in root) return { ok: false, problems: root.problems };
  const folder = join(root.folder, "servers.d");
  const drafts = named(read);
  const secrets = join(dataFolder(request.env), "xy/secrets", root.project);
  const planned = await Promise.all(drafts.map((one) => plannedOf(one, folder, secrets, request)));
  if (!request.dryRun) write(planned, root, folder, request.state);
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
  return { ok: true, report: { folder, dryRun: request.dryRun, sources } };
}

const WAY_OUT = "name a file of one of the tools that xy reads";

async function readSource(
  file: string,
  { tool, env, mayRun }: ImportRequest,
): Promise<Read | { readonly problem: Diagnostic }> {
  const problem = (why: string, line = 1) => ({
    problem: problemAt({ file, line, column: 1 }, `cannot import this file: ${why}`),
  });
  const isProgram = PROGRAM_EXTENSIONS.includes(extname(file));
  const fault = isProgram ? undefined : await binaryFault(file);
  if (typeof fault === "string") return problem(fault);
  let text: string;
  if (isProgram) {
    if (!fs.existsSync(file)) return problem("it does not exist; correct the path");
    if (!(await mayRun(file)))
      return problem("it is a program, and was not run; agree to that, or give --trust");
    const said = await askProgram(file);
    if ("why" in said) return problem(said.why);
    text = said.text;
  } else {
    const found = fault ?? readText(file, WAY_OUT);
    if ("refusal" in found) return problem(found.refusal);
    text = found.text;
  }
  try {
    const origin = { file, folder: dirname(file), home: homeOf(env) };
    return { file, ...(await importedFrom(text, origin, tool)) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const hint = error.message === UNKNOWN ? `; ${KNOWN}` : "";
    return problem(`${error.message}${hint}`, error.line);
  }
}

const UNKNOWN = "it is of no tool that xy knows";
const KNOWN =
  "xy reads the files of MCP clients, pm2, Procfile, process-compose, supervisord, systemd, launchd and docker compose; name the tool with --as if it is one of them";

/** A property list in its binary form is read by a program that comes with libplist. */
async function binaryFault(file: string): Promise<{ readonly text: string } | string | undefined> {
  let start: Buffer;
  try {
    const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      start = Buffer.alloc(8);
      fs.readSync(fd, start);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // Whatever it is, reading it says so.
    return undefined;
  }
  if (
    start.subarray(0, 2).equals(Buffer.of(0xff, 0xfe)) ||
    start.subarray(0, 2).equals(Buffer.of(0xfe, 0xff))
  )
    return "it is UTF-16; save it as UTF-8";
  if (start.toString("latin1") !== "bplist00") return undefined;
  const said = await run("plistutil", ["-i", file, "-f", "xml"]).catch(() => undefined);
  if (said?.code === 0 && said.out !== "") return { text: said.out };
  return said === undefined
    ? 'it is a binary property list, and there is no plistutil to read it: install libplist-utils, or write it as XML with "plutil -convert xml1"'
    : "it is a binary property list that plistutil cannot read";
}

/** Evaluates a file as pm2 does, in a process of its own, and gets its value as JSON. */
async function askProgram(file: string): Promise<{ readonly text: string } | { readonly why: string }> {
  const program = `import(require("node:url").pathToFileURL(process.argv[1])).then(({ default: value, ...rest }) =>
    require("node:fs").writeSync(3, JSON.stringify(value ?? rest)))`;
  const { code, out, err, isLate } = await run(process.execPath, ["-e", program, file], dirname(file));
  if (isLate) return { why: `it did not end within ${PROGRAM_BOUND / 1000} s` };
  if (code !== 0) {
    const last = err.split("\n").find((line) => /^\w*Error\b/.test(line)) ?? `it ended with ${code}`;
    return { why: `it failed: ${last}` };
  }
  return out === "" ? { why: "it exports nothing" } : { text: out };
}

/** Runs a program to its end. `out`: what it wrote to descriptor 3, or to stdout where it is not Node. */
function run(
  program: string,
  args: readonly string[],
  cwd?: string,
): Promise<{ code: number | null; out: string; err: string; isLate: boolean }> {
  return new Promise((settle, reject) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) void killTree(child.pid);
    }, PROGRAM_BOUND);
    const bounded = async (stream: NodeJS.ReadableStream) => {
      const parts: Buffer[] = [];
      let length = 0;
      for await (const part of stream) {
        length += part.length;
        if (length <= MOST_PRINTED) parts.push(Buffer.from(part));
      }
      return Buffer.concat(parts).toString("utf8");
    };
    const [, stdout, stderr, third] = child.stdio;
    const all = Promise.all([stdout, stderr, third].map((one) => bounded(one as NodeJS.ReadableStream)));
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", async (code) => {
      clearTimeout(timer);
      const [out = "", err = "", own = ""] = await all;
      settle({ code, out: program === process.execPath ? own : out, err, isLate });
    });
  });
}

interface Root {
  readonly folder: string;
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
  if (found.ok)
    return { folder: found.value.folder, project: projectOf(found.value.folder, own), isNew: false };
  if (found.missing !== true && found.unsafe === true) return { problems: found.problems };
  const at = explicit?.path ?? own;
  return { folder: at, project: projectOf(at, own), isNew: true };
}

const projectOf = (folder: string, own: string) => (folder === own ? "default" : basename(folder));

const dataFolder = (env: Environment) => {
  const said = env.XDG_DATA_HOME;
  return said?.startsWith("/") ? said : join(homeOf(env), ".local/share");
};

const HIDDEN = "(hidden)";

interface Planned {
  readonly sources: NamedDraft["sources"];
  readonly server: ImportedServer;
  readonly text: string;
  readonly secrets: string;
}

async function plannedOf(
  { name, draft, sources }: NamedDraft,
  folder: string,
  secretsFolder: string,
  { format, env }: ImportRequest,
): Promise<Planned> {
  const { fields, secrets, credentials, remarks, doubts } = draft;
  const secretsFile = join(secretsFolder, `${name}.env`);
  const home = homeOf(env);
  const written = secretsFile.startsWith(`${home}/`) ? `~${secretsFile.slice(home.length)}` : secretsFile;
  const all = secrets.size === 0 ? fields : { ...fields, envFile: [...(fields.envFile ?? []), written] };
  const comments = [...remarks, ...doubts.map((doubt) => `Not started by itself: ${doubt}.`)];
  const text = await serverText(all as Readonly<Record<string, unknown>>, format, comments);
  const file = join(folder, `${name}.${format}`);
  const others = ["kdl", "yaml", "yml", "json"].map((one) => join(folder, `${name}.${one}`));
  const there = others.find((one) => fs.lstatSync(one, { throwIfNoEntry: false }) !== undefined);
  const isSame = there === file && textIfFile(file) === text;
  return {
    ...{ sources, text, secrets: dotenvText(secrets) },
    server: {
      name,
      file: there ?? file,
      state: there === undefined ? "new" : isSame ? "same" : "in-the-way",
      runs: [
        fields.command ?? "",
        ...(fields.args ?? []).map((arg, i) => (credentials.includes(i) ? HIDDEN : arg)),
      ],
      ...(secrets.size > 0 && { secrets: { file: secretsFile, names: [...secrets.keys()] } }),
      remarks,
      doubts,
    },
  };
}

function write(planned: readonly Planned[], root: Root, folder: string, state: string): void {
  const fresh = planned.filter(({ server }) => server.state === "new");
  if (fresh.length === 0) return;
  ensureDir(folder, 0o755);
  for (const { server, secrets, text } of fresh) {
    if (server.secrets) {
      ensurePrivateDir(dirname(server.secrets.file));
      keepOld(server.secrets.file);
      writeAtomic(server.secrets.file, secrets, { mode: 0o600, durable: true });
    }
    create(server.file, text);
  }
  // Who has just had all of it written need not be asked about it.
  if (root.isNew) agreeTo(state, fs.realpathSync(root.folder));
}

/** Values of an earlier import are not lost. */
function keepOld(file: string): void {
  for (let number = 1; fs.existsSync(file); number++) {
    const aside = `${file}.${number}`;
    if (!fs.existsSync(aside)) fs.renameSync(file, aside);
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

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { dirname, extname } from "node:path";
import { problemAt } from "../config/check/keys.ts";
import { PROGRAM_EXTENSIONS, readText } from "../config/read/document.ts";
import { type Imported, importedFrom } from "../importing/import.ts";
import { Unreadable } from "../importing/parse/lines.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { type Environment, homeOf } from "../system/paths.ts";
import { killTree } from "../system/processes.ts";
import { ownEntriesIn } from "./own-entries.ts";

/** One source of an import, read: a file of another tool, or what a program of it says. */

/** A program that is asked for its configuration: how long it may take, ms, and how much it may print, bytes. */
const PROGRAM_BOUND = 10_000;
const MOST_PRINTED = 4 << 20;
/** Clients keep more than servers in their files; other formats take much longer to read. */
const MOST_JSON = 10 << 20;
const MOST = 1 << 20;
const isJson = (file: string) => /\.jsonc?$/.test(file);

const WAY_OUT = "name a file of one of the tools that xy reads";

export interface ReadSource extends Imported {
  readonly file: string;
}

export interface SourceRequest {
  /** The tool that the file is of; found out when absent. */
  readonly tool?: string | undefined;
  readonly env: Environment;
  /** Whether a source that is a program may be run. */
  readonly mayRun: (file: string) => Promise<boolean>;
  /** State folder. */
  readonly state: string;
}

export async function readSource(
  file: string,
  { tool, env, mayRun, state }: SourceRequest,
): Promise<ReadSource | { readonly problem: Diagnostic }> {
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
    const found = fault ?? readText(file, WAY_OUT, { most: isJson(file) ? MOST_JSON : MOST });
    if ("refusal" in found) return problem(found.refusal);
    text = found.text;
  }
  try {
    const own = await ownEntriesIn(state, file);
    const origin = { file, folder: dirname(file), home: homeOf(env), ...own };
    return { file, ...(await importedFrom(text, origin, tool)) };
  } catch (error) {
    // Nested without end, as nobody's is.
    if (error instanceof RangeError) return problem("it is nested too deeply");
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

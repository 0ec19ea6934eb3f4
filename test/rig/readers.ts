import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal } from "../../src/agent/jobs/journal.ts";
import { LogSnapshot, linesBackwards, readLastOpen } from "../../src/agent/logs/log-reader.ts";
import { decodeRecord, encodeRecords, LineJoiner, lostIn } from "../../src/agent/logs/log-record.ts";
import { LaunchdUser } from "../../src/backends/agent/launchd-user.ts";
import { SystemdUser } from "../../src/backends/agent/systemd-user.ts";
import { pidIn } from "../../src/backends/launchctl.ts";
import { fileLines } from "../../src/backends/log-lines.ts";
import { launchdUnits } from "../../src/backends/render/launchd.ts";
import { supervisordUnits } from "../../src/backends/render/supervisord.ts";
import { systemdUnits } from "../../src/backends/render/systemd.ts";
import { liveOf as launchdLive } from "../../src/backends/units/launchd/manager.ts";
import type { Unit } from "../../src/backends/units/manager.ts";
import { readAnswer as readXmlRpc } from "../../src/backends/units/supervisord/xml-rpc.ts";
import { lineOf } from "../../src/backends/units/systemd/journal.ts";
import { PROPERTIES, propertiesIn, liveOf as systemdLive } from "../../src/backends/units/systemd/show.ts";
import { edit } from "../../src/clients/edit.ts";
import { Fault, type Format } from "../../src/clients/formats/format.ts";
import { json } from "../../src/clients/formats/json.ts";
import { toml } from "../../src/clients/formats/toml.ts";
import { yaml } from "../../src/clients/formats/yaml.ts";
import { CLIENT_ROWS } from "../../src/clients/rows/rows.ts";
import type { Shape } from "../../src/clients/types.ts";
import { cronFault } from "../../src/config/check/cron.ts";
import { expandTemplates } from "../../src/config/check/templates.ts";
import { parseDotenv } from "../../src/config/read/dotenv.ts";
import { readKdl } from "../../src/config/read/kdl.ts";
import { type ObjectShape, shapeOf } from "../../src/config/read/shape.ts";
import { thrownPlace } from "../../src/config/read/typescript.ts";
import { readJson, readYaml } from "../../src/config/read/yaml.ts";
import { shellLineFault, shownLine } from "../../src/config/resolve/shell-line.ts";
import { serverInput } from "../../src/model/server.ts";
import { parseDuration, parseSize } from "../../src/model/units.ts";
import { printedLine, visible } from "../../src/model/visible.ts";
import { readAnswer } from "../../src/probes/json-rpc.ts";
import { ServerEvents } from "../../src/probes/sse.ts";
import { FrameDecoder } from "../../src/rpc/framing.ts";
import { parseLsof, parseProcNet } from "../../src/system/listeners.ts";
import { hardLimitIn } from "../../src/system/open-files.ts";
import { parsePs, statOf } from "../../src/system/process-rows.ts";
import { nameOf } from "../../src/system/processes.ts";
import { commandOf, parsePsUsage } from "../../src/system/usage.ts";
import { shellSpec } from "./spec.ts";

/**
 * Everything of ours that reads text from outside. `pieces` are what its syntax is made of: texts are put together of
 * them. `most`: bytes of the longest text that it is tried with; less for what a library of others reads.
 */
export interface Reader {
  readonly read: (text: string) => unknown;
  readonly pieces: readonly string[];
  readonly most?: number;
}

const shape = shapeOf(serverInput) as ObjectShape;
const TIME = "2026-01-31T12:00:00.000Z";
const unit = { spec: shellSpec("web", "true"), enabled: true, isTouched: false } as unknown as Unit;
const templateFacts = { name: "web", project: "p", home: "/home/ann", port: 1, baseEnv: {} };
const account = { uid: 1000, username: "ann" };

/** A client's file with one more entry. One that is refused is read, too. */
function changed(format: Format, text: string, shape: Shape): unknown {
  const input = {
    format,
    shape,
    text,
    fresh: "",
    ours: [],
    left: ["a"],
    origin: undefined,
    original: undefined,
  };
  try {
    return edit(input, { set: [{ name: "a", value: { url: "x" } }], remove: [] });
  } catch (error) {
    // Nested without end.
    if (error instanceof Fault || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What a library reads is short: some of it takes many times as long as our own. */
const BY_LIBRARY = 64 * 1024;

export const READERS: Readonly<Record<string, Reader>> = {
  "env file": {
    read: parseDotenv,
    pieces: [
      "A",
      "=",
      "A=",
      '"',
      "'",
      "`",
      "\\",
      "\\n",
      "#",
      " #",
      "export ",
      'A="',
      "A='",
      "\n",
      "\r\n",
      "\uFEFF",
    ],
  },
  KDL: {
    read: (text) => readKdl("x.kdl", text, shape),
    pieces: [
      '"',
      "#",
      '#"',
      '"#',
      '"""',
      "{",
      "}",
      "(",
      ")",
      "a",
      "a ",
      "1",
      "=",
      ";",
      "\\",
      "/-",
      "//",
      "/*",
      "*/",
      "\\u{41}",
      "[",
      "env ",
      "depends-on ",
      "args ",
      'r"',
      "=true",
    ],
    most: BY_LIBRARY,
  },
  "a client's JSON": {
    read: (text) => changed(json, text, CLIENT_ROWS.cursor.shapes[0]),
    pieces: [
      "{",
      "}",
      "[",
      "]",
      '"a"',
      '"mcpServers":',
      ":",
      ",",
      "//",
      "/*",
      "*/",
      '"',
      "\\u12",
      "1e9",
      "null",
    ],
    most: 16 * 1024,
  },
  "a client's YAML": {
    read: (text) => changed(yaml, text, CLIENT_ROWS.goose.shapes[0]),
    pieces: [
      "extensions:",
      "a: b\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ", ",
      "#",
      '"',
      "'",
      "|\n",
      "&a ",
      "*a",
      "? ",
    ],
    most: 2 * 1024,
  },
  "a client's TOML": {
    read: (text) => changed(toml, text, CLIENT_ROWS.codex.shapes[0]),
    pieces: [
      "[mcp_servers.a]\n",
      "[",
      "]",
      "a = 1\n",
      "b.c = ",
      '"',
      '"""',
      "'''",
      "{",
      "}",
      ",",
      "#",
      "\\",
      "\n",
    ],
    most: 16 * 1024,
  },
  YAML: {
    read: (text) => readYaml("x.yaml", text, shape),
    pieces: [
      "a",
      ": ",
      "- ",
      "k: *e\n",
      "a: b: c\n",
      "&e ",
      "*e ",
      "[",
      "]",
      "{",
      "}",
      ",",
      '"',
      "'",
      "|\n",
      ">\n",
      "#",
      "? ",
      "!!str ",
      "---\n",
      "...\n",
      "%",
      "<<: ",
      "<<: *e\n",
      "[program:a]\n",
      "  ",
    ],
    most: BY_LIBRARY,
  },
  "line for a shell": {
    read: (text) => [shownLine(text), shellLineFault(text, "command", async () => false)],
    pieces: ["a", " ", '"', "'", "A=", "$A", "${", "}", "$(", "&", "&&", "|", ";", "`", "\t", "/", "-", "\\"],
  },
  JSON: {
    read: (text) => readJson("x.json", text, shape),
    pieces: ['{"a":', "{", "}", "[", "]", ",", ":", '"a"', '"', "\\", "\\u0041", "1", "e9", "-", "null", " "],
    most: BY_LIBRARY,
  },
  "stack of a program": {
    read: (text) => thrownPlace("/home/ann/xy.config.ts", text),
    pieces: [
      "at ",
      "    at f (",
      "/",
      "file:///",
      ":",
      "1",
      ":1:1",
      ")",
      "(",
      "node_modules/",
      "/home/ann/x.ts:1:1",
    ],
  },
  templates: {
    read: (text) => expandTemplates({ args: [text], env: { A: text } }, templateFacts),
    pieces: ["{", "}", "{{", "}}", "{port}", "{env.", "A", "env.A"],
  },
  "durations and sizes": {
    read: (text) => [parseDuration(text), parseSize(text)],
    pieces: ["1", "m", "s", "ms", ".", "MiB", " ", "-"],
  },
  schedules: {
    read: cronFault,
    pieces: ["*", "/", ",", "-", " ", "0", "L", "#", "MON", "@daily"],
    most: 4096,
  },
  "systemctl show": {
    read: (text) => systemdLive(unit, propertiesIn(text, PROPERTIES)),
    pieces: [
      "ActiveState=",
      "active",
      "failed",
      "=",
      "MainPID=",
      "1",
      "DropInPaths=/a.d/b ",
      "ExecMainStartTimestamp=Thu ",
      "Result=exit-code\n",
      " ",
    ],
  },
  "unit files": {
    read: (text) => [
      systemdUnits.isOurs(text),
      supervisordUnits.isOurs(text),
      launchdUnits.isOurs(text),
      supervisordUnits.withStart?.(text, true),
      new SystemdUser({ HOME: "/home/ann" }, account).stateIn(text),
    ],
    pieces: [
      "[X-Xy]\n",
      "State=",
      "Project=",
      "%%",
      "; xy-project=",
      "autostart=",
      "[program:x]",
      "=",
      "  ",
      "/tmp",
    ],
  },
  "property lists": {
    read: (text) => [
      new LaunchdUser({ HOME: "/home/ann" }, account).stateIn(text),
      launchdUnits.isOurs(text),
    ],
    pieces: [
      "<key>",
      "</key>",
      "<key>XyState</key>",
      "<string>",
      "</string>",
      "<",
      ">",
      "&amp;",
      "&",
      " ",
      "<!--",
      "-->",
    ],
  },
  "launchctl print": {
    read: (text) => [pidIn(text), launchdLive(unit, text, new Set())],
    pieces: [
      "pid = ",
      "1",
      "state = ",
      "runs = ",
      "last exit code = ",
      "last terminating signal = ",
      ": ",
      "\t",
      " ",
      "{",
      "}",
    ],
  },
  "answers of supervisord": {
    read: (text) => readXmlRpc(text).catch(() => undefined),
    pieces: [
      "<methodResponse>",
      "<params>",
      "<param>",
      "<value>",
      "<array>",
      "<data>",
      "</data>",
      "<struct>",
      "<member>",
      "<name>",
      "</value>",
      "<int>",
      "1",
      "</int>",
      "<fault>",
      "&amp;",
      "<",
      ">",
      "&",
      "<![CDATA[",
      "]]>",
    ],
    most: BY_LIBRARY / 4,
  },
  "lines of the journal": {
    read: lineOf,
    pieces: ['{"MESSAGE":', '"a"', "[", "1", ",", "]", "}", ':"', '"__REALTIME_TIMESTAMP":"1"', "\\u2028"],
  },
  "log records": {
    read: (text) => {
      const joiner = new LineJoiner();
      const records = `${text}\n${encodeRecords("out", Buffer.from(text), TIME)}`.split("\n");
      return records
        .map((line) => [lostIn(Buffer.from(line)), decodeRecord(Buffer.from(line))] as const)
        .map(([lost, record]) => (record ? joiner.take(record) : lost));
    },
    pieces: [
      `${TIME} [out] `,
      `${TIME} [err+] `,
      `\n${TIME} [out+] `,
      `\n${TIME} [lost] 7 `,
      "[",
      "]",
      " ",
      "a",
    ],
  },
  "log files": {
    read: (text) =>
      inFolder("current.log", text, (folder, path) => {
        const snapshot = new LogSnapshot(folder);
        snapshot.lastLines({ tail: 10 });
        snapshot.close();
        readLastOpen(path);
        const fd = openSync(path, "r");
        for (const line of linesBackwards(fd, fstatSync(fd).size)) void line;
        closeSync(fd);
      }),
    pieces: [`${TIME} [out] `, `\n${TIME} [err+] `, "\n", "a", "x".repeat(70_000)],
  },
  "logs of units": {
    read: (text) =>
      inFolder("out.log", text, async (_, path) => {
        const signal = new AbortController().signal;
        for await (const line of fileLines({ out: path, err: path }, { tail: 5, follow: false }, signal))
          void line;
      }),
    pieces: ["a", "\n", "x".repeat(70_000)],
  },
  "journals of jobs": {
    read: (text) =>
      inFolder("journal", text, (_, path) => {
        const journal = new Journal(
          path,
          () => true,
          () => {},
        );
        for (const entry of journal.entries()) void entry;
        journal.find(1);
      }),
    // JSON.parse throws at nearly each line, which is slow.
    most: BY_LIBRARY,
    pieces: [
      '{"id":1,',
      '\n{"id":1,',
      '{"spec":"',
      '"created_at":1',
      "}\n",
      "a",
      '"of":"x"',
      '"deleted":true}\n',
    ],
  },
  "/proc": {
    read: (text) => [
      statOf(text),
      nameOf(text, text),
      commandOf(text),
      parseProcNet(text),
      hardLimitIn(text),
    ],
    pieces: ["Max open files", "1", " ", "(", ")", "S", "\0", "/", "-", ":", "0100007F:1F90", " 0A ", "\n"],
  },
  "ps and lsof": {
    read: (text) => [parsePs(text), parsePsUsage(text), parseLsof(text)],
    pieces: [
      "1",
      " ",
      "S",
      "Sat Nov 28 01:02:03 2026",
      "0.0",
      "00:00:01",
      "n",
      "n*:80",
      "p1",
      "tIPv6",
      "[",
      "]",
      "%",
      ":",
      "\n1 1 1 S ",
    ],
  },
  "server-sent events": {
    read: (text) => new ServerEvents().take(Buffer.from(text)),
    pieces: ["data: ", "data:", "data", "id: 1", ":", "\n", "\n\n", "\r", "\r\n", "a"],
  },
  "frames of the wire": {
    read: (text) => new FrameDecoder().take(Buffer.from(text)),
    pieces: ["{", "}", "\n", '"a"', ":", "a"],
  },
  "answers of MCP servers": {
    read: (text) => readAnswer(text, 1),
    pieces: ['{"jsonrpc":"2.0","id":1,', '"result":{}', "{", "}", "[", "]", ",", '"'],
  },
  "text that is shown": {
    read: visible,
    pieces: [
      "\u001b",
      "[",
      "\u009b",
      "\u202e",
      "\u200d",
      "\ufe0f",
      "👩",
      "1",
      "\u20e3",
      "\u{e0041}",
      "a",
      "🏽",
    ],
  },
  "lines of output": {
    read: (text) => printedLine(text, true),
    pieces: ["\u001b", "[", "\u001b[0m", ";", "1", "m", "\u009b", "]8;;", "\u0007", "a", "(", "#"],
  },
};

async function inFolder(
  name: string,
  text: string,
  use: (folder: string, path: string) => void | Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "r-"));
  try {
    writeFileSync(join(folder, name), text);
    await use(folder, join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

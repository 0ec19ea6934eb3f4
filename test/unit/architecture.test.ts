import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { breaches } from "../../scripts/architecture.ts";

const root = join(import.meta.dirname, "../..");

function ownSources(): Map<string, string> {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => file.endsWith(".ts")).map((file) => `src/${file}`);
  return new Map(sources.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

/** The breaches of files given by path, `src/` left out. */
function breachesIn(files: Record<string, string>): string[] {
  return breaches(new Map(Object.entries(files).map(([path, text]) => [`src/${path}`, text])));
}

describe("the words of the house", () => {
  it("are about what is in the code, where they say", () => {
    const page = readFileSync(join(root, "docs/ARCHITECTURE.md"), "utf8");
    const [, table = ""] = /\n## Words\n([\s\S]*?)\n## /.exec(page) ?? [];
    const rows = [...table.matchAll(/^\| ([^|]+) \| [^|]+ \| `([^`]+)` \|$/gm)];
    const sources = ownSources();
    const missing = rows.filter(([, word = "", path = ""]) => {
      const text = sources.get(`src/${path}`)?.toLowerCase() ?? "";
      // Of several words each, and a stem that its forms share.
      return !word
        .replace("'s", "")
        .split(" ")
        .every((part) => text.includes(part.slice(0, 5)));
    });
    expect(rows.length).toBeGreaterThan(25);
    expect(missing.map(([row]) => row)).toEqual([]);
    const words = rows.map(([, word]) => word);
    expect(words).toEqual(words.toSorted());
  });
});

describe("the import rules", () => {
  it("hold in src/", () => {
    expect(breaches(ownSources())).toEqual([]);
  });

  it.each([
    ["model/a.ts", 'import { b } from "../config/b.ts";', "config/b.ts"],
    ["model/a.ts", 'import type { B } from "../rpc/b.ts";', "rpc/b.ts"],
    ["config/a.ts", 'import { b } from "../system/b.ts";', "system/b.ts"],
    ["supervisor/a.ts", 'export { b } from "../agent/b.ts";', "agent/b.ts"],
    ["supervisor/a.ts", 'export * from "../rpc/b.ts";', "rpc/b.ts"],
    ["rpc/a.ts", 'let b: import("../agent/b.ts").B;', "agent/b.ts"],
    ["views/a.ts", 'const b = await import("../commands/b.ts");', "commands/b.ts"],
    ["backends/a.ts", 'import "../reconciler/b.ts";', "reconciler/b.ts"],
    ["agent/a.ts", 'import { b } from "../config/b.ts";', "config/b.ts"],
    ["commands/a.ts", 'import { b } from "../agent/b.ts";', "agent/b.ts"],
    ["main.ts", 'import { b } from "./agent/b.ts";', "agent/b.ts"],
    [
      "reconciler/a.ts",
      'import { type Backend, kinds } from "../backends/backend.ts";',
      "backends/backend.ts",
    ],
    ["reconciler/a.ts", 'import type { Unit } from "../backends/systemd.ts";', "backends/systemd.ts"],
  ])("forbid %s to say: %s", (path, text, target) => {
    expect(breachesIn({ [path]: text })).toContain(`src/${path}: may not import src/${target}`);
  });

  it.each([
    ["reconciler/a.ts", 'import type { Backend } from "../backends/backend.ts";'],
    ["reconciler/a.ts", 'import { type Backend } from "../backends/backend.ts";'],
    ["agent/a.ts", 'import { b } from "../supervisor/b.ts";'],
    ["commands/job/a.ts", 'import { b } from "../../backends/b.ts";'],
    ["config/a.ts", '// import { b } from "../agent/b.ts"\nconst text = \'import "../agent/b.ts"\';'],
  ])("allow %s to say: %s", (path, text) => {
    expect(breachesIn({ [path]: text })).toEqual([]);
  });

  it("forbid a room that nobody knows", () => {
    expect(breachesIn({ "utils/a.ts": "" })).toEqual(["src/utils/a.ts: is in no known room of src/"]);
  });

  it("forbid an import without the file's extension", () => {
    expect(breachesIn({ "model/a.ts": 'import { b } from "./b";' })).toEqual([
      "src/model/a.ts: ./b should name a file with its extension",
    ]);
  });

  it("forbid the agent to load a file late", () => {
    expect(breachesIn({ "agent/a.ts": 'await import("./b.ts");' })).toEqual([
      "src/agent/a.ts: may not import ./b.ts dynamically",
    ]);
  });

  it("forbid a cycle, types included, and name it once", () => {
    const files = {
      "model/a.ts": 'import { b } from "./b.ts";',
      "model/b.ts": 'export type { C } from "./c.ts";',
      "model/c.ts": 'import type { A } from "./a.ts";',
      "model/d.ts": 'import { b } from "./b.ts";',
    };
    expect(breachesIn(files)).toEqual([
      "src/model/a.ts: imports itself: src/model/a.ts -> src/model/b.ts -> src/model/c.ts -> src/model/a.ts",
    ]);
  });
});

describe("the rule of purity", () => {
  it.each([
    ["const now = Date.now();", "Date.now"],
    ["const now = new Date();", "new Date()"],
    ["const x = Math.random();", "Math.random"],
    ["setTimeout(() => {}, 10);", "setTimeout"],
    ["const later = setInterval;", "setInterval"],
    ["const home = process.env.HOME;", "process"],
    ["if (x) console.log(1);", "console"],
    ["const f = (process: string) => process; const pid = process.pid;", "process"],
    ['import { env } from "node:process";', "node:process"],
    ['import { setTimeout as sleep } from "node:timers/promises";', "node:timers/promises"],
  ])("forbids supervisor/ to say: %s", (text, what) => {
    expect(breachesIn({ "supervisor/a.ts": text })).toEqual([`src/supervisor/a.ts: may not use ${what}`]);
  });

  it.each(["model", "config", "reconciler", "rpc"])("holds in %s/", (room) => {
    expect(breachesIn({ [`${room}/a.ts`]: "Date.now();" })).toEqual([
      `src/${room}/a.ts: may not use Date.now`,
    ]);
  });

  it.each(["agent", "backends", "views", "commands", "system"])("leaves %s/ alone", (room) => {
    expect(breachesIn({ [`${room}/a.ts`]: "setTimeout(() => console.log(Date.now()), 10);" })).toEqual([]);
  });

  it("leaves the entry of the configuration's thread alone", () => {
    expect(breachesIn({ "config/read/worker.ts": "process.exit();" })).toEqual([]);
  });

  it.each([
    "// Date.now() and setTimeout(f)",
    'const help = "process.env is read by setTimeout()";',
    "const effect = { setTimeout: 1, process: 2 }; effect.process;",
    "interface Spec { process: string; console(): void }",
    "const then = new Date(0);",
    "const f = ({ process }: Observed) => process.pid;",
    "function f(o: Observed) { const { process } = o; return () => process.pid; }",
  ])("does not mind: %s", (text) => {
    expect(breachesIn({ "supervisor/a.ts": text })).toEqual([]);
  });
});

describe("default exports", () => {
  it("are for commands", () => {
    expect(breachesIn({ "commands/list.ts": "export default class List {}" })).toEqual([]);
  });

  it.each(["export default 1;", "export default function run() {}"])(
    "are forbidden elsewhere: %s",
    (text) => {
      expect(breachesIn({ "views/a.ts": text })).toEqual(["src/views/a.ts: may not have a default export"]);
    },
  );
});

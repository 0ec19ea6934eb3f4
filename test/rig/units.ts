import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import { MANAGER_TABLE } from "../../src/backends/managers.ts";
import type { UnitFacts } from "../../src/backends/render/unit.ts";
import { environmentOf } from "../../src/model/environment.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import type { SecretValues } from "../../src/model/spec-parts.ts";
import { ANY_CHARACTER } from "./any-character.ts";
import { eventually } from "./eventually.ts";
import { SECRET_WORD } from "./secret-scan.ts";
import { serverSpec } from "./spec.ts";

type Kind = ServerSpec["backend"];

const REPORT = join(import.meta.dirname, "report.pl");

/** What formats, templates and shells have a meaning for, and what is easily lost. */
const PIECES = [
  ..." \t\n\r\"'%$\\;#&<>=,:@!-+~|*?[]{}()`/a0",
  ...["%%", "%h", "%s", "%n", "%(here)s", "%(program_name)s", "%(ENV_HOME)s", "$HOME", "$" + "{HOME}", "$$"],
  ...["\\n", "\\x41", '\\"', " ;", " #", "\n;", "\n#", "\n[x]", "\nx=y", "\n ", "  \n\n  ", "]]>", "&amp;"],
  ...[
    "é",
    "ß",
    "漢字",
    "🙂",
    "\u0001",
    "\u000b",
    "\u001b[1m",
    "\u001f",
    "\u007f",
    "\u0085",
    "\u00a0",
    "\u2028",
    "\ufeff",
  ],
];
const piece = fc.oneof(
  { arbitrary: fc.constantFrom(...PIECES), weight: 5 },
  { arbitrary: fc.string({ maxLength: 4, unit: ANY_CHARACTER }), weight: 1 },
);
const pieces = (maxLength: number) => fc.array(piece, { maxLength }).map((some) => some.join(""));
const long = pieces(3).map((text) => `${text}${"x%\"' ;\\".repeat(100_000 / 7)}${text}`);
const text = fc.oneof(
  { arbitrary: pieces(8), weight: 300 },
  { arbitrary: fc.constant(""), weight: 20 },
  { arbitrary: long, weight: 1 },
);
/** A name that a file can have. */
const fileName = pieces(4).map((name) => `d${name.replaceAll("/", "|").slice(0, 60)}`);
/** LANG is not among them: the interpreter of the reporting program ends when it is odd. */
const ACCOUNT = ["HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "PATH"];

/** What a server declares wins over what its manager says by the same name. */
const MANAGED = ["INVOCATION_ID", "SYSTEMD_EXEC_PID", "SUPERVISOR_ENABLED", "SUPERVISOR_GROUP_NAME"];

const declared = fc.record({
  args: fc.array(text, { maxLength: 6 }),
  account: fc.tuple(...ACCOUNT.map(() => text)),
  own: fc.dictionary(
    fc.oneof(fc.stringMatching(/^V_[A-Za-z0-9_]{0,8}$/), fc.constantFrom(...MANAGED)),
    text,
    {
      maxKeys: 6,
    },
  ),
  hidden: fc.dictionary(
    fc.stringMatching(/^S_[A-Za-z0-9_]{0,8}$/),
    text.map((value) => `${SECRET_WORD}${value}`),
    { maxKeys: 3 },
  ),
  program: fileName,
  folder: fileName,
  umask: fc.integer({ min: 0, max: 0o777 }),
  openFiles: fc.integer({ min: 64, max: 4096 }),
});

type Generated = typeof declared extends fc.Arbitrary<infer T> ? T : never;

/** A server, and the values of its secrets. */
export interface GeneratedServer {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
}

/** What the backends that are tried give to so many servers, by that seed. Folders and programs are in `root`. */
export function generatedServers(kind: Kind, root: string, count: number, seed: number): GeneratedServer[] {
  const report = (i: number) => join(root, "reports", String(i));
  const spec = ({ args, account, own, hidden, program, folder, umask, openFiles }: Generated, i: number) =>
    serverSpec(`s${i}`, join(root, "programs", program), [report(i), ...args], {
      backend: kind,
      env: {
        ...Object.fromEntries(ACCOUNT.map((name, k) => [name, account[k] as string])),
        ...own,
        ...Object.fromEntries(
          Object.keys(hidden).map((name) => [name, { secret: { env: name }, hmac: "0" }]),
        ),
      },
      workingDir: join(root, "folders", folder),
      umask,
      limits: { openFiles },
      restart: { policy: "never" },
    });
  const carried = declared.filter((one) => {
    const { args, account, own, hidden } = one;
    const texts = [...args, ...account, ...Object.values(own), ...Object.values(hidden)];
    const size = texts.reduce((sum, some) => sum + some.length, 0);
    return (
      size < 500_000 &&
      Object.values(hidden).every((some) => isCarried(kind, some)) &&
      sound(kind, spec(one, 0))
    );
  });
  return fc
    .sample(carried, { numRuns: count, seed })
    .map((one, i) => ({ spec: spec(one, i), secrets: one.hidden }));
}

/** The values of secrets are not known to those who look at a spec. */
function isCarried(kind: Kind, secret: string): boolean {
  if (/\0|\p{Surrogate}/u.test(secret)) return false;
  return kind !== "systemd" || !/\p{Noncharacter_Code_Point}/u.test(secret);
}

function sound(kind: Kind, spec: ServerSpec): boolean {
  if (kind !== "agent")
    return MANAGER_TABLE[kind].format.faults(factsOf(spec, { installed: { enabled: true } })).length === 0;
  return !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify([spec.program, spec.workingDir, spec.args, spec.env]));
}

export const factsOf = (spec: ServerSpec, over: Partial<UnitFacts> = {}): UnitFacts => ({
  spec,
  envFiles: [],
  home: "/home/me",
  user: "me",
  launcher: "/home/me/.local/state/xy/bridge.sh",
  ...over,
});

/** Makes what the servers need of the machine. */
export function prepare(root: string, servers: readonly GeneratedServer[]): void {
  mkdirSync(join(root, "reports"), { recursive: true });
  for (const { spec } of servers) {
    const { program, workingDir } = spec;
    mkdirSync(workingDir, { recursive: true });
    mkdirSync(dirname(program), { recursive: true });
    if (existsSync(program)) continue;
    copyFileSync(REPORT, program);
    chmodSync(program, 0o755);
  }
}

/** Longest wait for all of them on a busy machine, ms. */
const REPORTS_BOUND = 80_000;

/**
 * Waits until every server has reported, and compares with what is declared, byte for byte. Answers with the names in
 * their environments that nobody declared.
 */
export async function compareReports(
  servers: readonly GeneratedServer[],
  { openFiles }: { openFiles: boolean },
): Promise<Set<string>> {
  const added = new Set<string>();
  await eventually(() => {
    const missing = servers.flatMap(({ spec }) => (existsSync(spec.args[0] as string) ? [] : [spec.name]));
    if (missing.length > 0)
      throw new Error(`no report of ${missing.length}: ${missing.slice(0, 10).join(", ")}`);
  }, REPORTS_BOUND);
  for (const { spec, secrets } of servers) {
    const report = JSON.parse(readFileSync(spec.args[0] as string, "utf8"));
    const env = new Map<string, string>(
      (report.env as string[]).map(unhex).map((entry) => {
        const cut = entry.indexOf("=");
        return [entry.slice(0, cut), entry.slice(cut + 1)];
      }),
    );
    const received = {
      // The interpreter, which the kernel puts before a script, is not declared.
      argv: report.argv.map(unhex).slice(1),
      cwd: unhex(report.cwd[0]),
      umask: report.umask,
      openFiles: openFiles ? report.openFiles : spec.limits.openFiles,
      env: Object.fromEntries(Object.keys(spec.env).map((name) => [name, env.get(name)])),
    };
    const { program, args, workingDir: cwd, umask, limits } = spec;
    const wanted = environmentOf(spec, secrets);
    const declaration = { argv: [program, ...args], cwd, umask, ...limits, env: wanted };
    expect(received, `what ${spec.name} received`).toEqual(declaration);
    for (const name of env.keys()) if (!(name in spec.env)) added.add(name);
  }
  return added;
}

const unhex = (text: string) => Buffer.from(text, "hex").toString("utf8");

/** Of this run, or of the one that is to be repeated. It is said, so that it can be. */
export function seedOf(what: string): number {
  const seed = Number(process.env.XY_TEST_SEED ?? Date.now() % 2 ** 31);
  console.log(`${what}: XY_TEST_SEED=${seed}`);
  return seed;
}

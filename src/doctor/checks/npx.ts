import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Finding } from "../../model/finding.ts";
import { isObject } from "../../model/object.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { shellWord } from "../../model/text.ts";
import { type Around, counted, named, row } from "../check.ts";
import { addressOf } from "../recorded.ts";

interface NpxFacts {
  /** How many installs were looked at. */
  readonly looked: number;
  /** Installs that are not complete, and servers that would start from them. */
  readonly broken: readonly {
    readonly folder: string;
    /** What is missing. */
    readonly lacks: string;
    readonly servers: readonly string[];
  }[];
}

export const npxCheck = row<NpxFacts>({
  id: "npx",
  title: "npx cache",
  about: "installs of npx that are not complete, above all those that servers start from",
  async look(around) {
    const { home, recorded, now } = around;
    const users = recorded.servers.flatMap((server) => {
      const { spec } = server;
      const packages = spec === undefined ? [] : npxPackages(spec);
      if (spec === undefined || packages.length === 0) return [];
      const caches = cachesOf(around, spec);
      return caches.map((cache) => ({ server: addressOf(server), folder: join(cache, npxFolder(packages)) }));
    });
    const own = home === undefined ? [] : cachesOf(around).flatMap(installsIn);
    const folders = [...new Set([...own, ...users.map(({ folder }) => folder)])].filter((one) =>
      existsSync(one),
    );
    const broken = folders.flatMap((folder) => {
      const lacks = lackOf(folder, now);
      const servers = users.filter((user) => user.folder === folder).map(({ server }) => server);
      return lacks === undefined ? [] : [{ folder, lacks, servers }];
    });
    return { looked: folders.length, broken };
  },
  judge({ looked, broken }) {
    return {
      summary: looked === 0 ? "no installs" : counted(looked, "install"),
      findings: broken.map(findingOf),
    };
  },
});

/** What npx is told to run, of a server that it starts; as npm tells packages apart. */
export function npxPackages({
  command,
  program,
  args,
}: Pick<ServerSpec, "command" | "program" | "args">): string[] {
  if (![command, program].some((word) => basename(word) === "npx")) return [];
  const packages: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "-p" || word === "--package") packages.push(args[++i] ?? "");
    else if (word.startsWith("--package=")) packages.push(word.slice("--package=".length));
    else if (word === "--" || word === "-c" || word === "--call") break;
    else if (!word.startsWith("-")) return packages.length > 0 ? packages : [word];
  }
  return packages;
}

/** The name of npm's folder for these packages: see `getNpxHash` in libnpmexec. */
export function npxFolder(packages: readonly string[]): string {
  const sorted = [...packages].sort((a, b) => a.localeCompare(b, "en"));
  return createHash("sha512").update(sorted.join("\n")).digest("hex").slice(0, 16);
}

/** Where npx installs: as the server's environment says, or npm's settings, or in the usual place. */
function cachesOf({ env, home }: Around, spec?: Pick<ServerSpec, "env">): string[] {
  const said = spec?.env.npm_config_cache ?? (spec === undefined ? env.npm_config_cache : undefined);
  if (typeof said === "string") return [join(said, "_npx")];
  if (home === undefined) return [];
  const set = /^\s*cache\s*=\s*(\S+)\s*$/m.exec(textOf(join(home, ".npmrc")))?.[1];
  const cache = set?.replace(/^~(?=\/)|^\$\{HOME\}/, home);
  return [join(cache?.startsWith("/") ? cache : join(home, ".npm"), "_npx")];
}

function installsIn(cache: string): string[] {
  try {
    const names = readdirSync(cache).filter((name) => /^[0-9a-f]{16}$/.test(name));
    return names.sort().map((name) => join(cache, name));
  } catch {
    return [];
  }
}

/** An install that was touched so recently may be going on, ms. */
const FRESH = 60_000;

/** What is missing in an install; undefined: nothing, or it may be under way. */
function lackOf(folder: string, now: number): string | undefined {
  try {
    if (existsSync(join(folder, "concurrency.lock")) && now - statSync(folder).mtimeMs < FRESH)
      return undefined;
    const entries = readdirSync(folder);
    // npx makes the folder first, and fills an empty one.
    if (entries.length === 0) return undefined;
    if (!entries.includes("package.json")) return "package.json";
    const found: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const dependencies =
      isObject(found) && isObject(found.dependencies) ? Object.keys(found.dependencies) : [];
    const missing = dependencies.find(
      (name) => !existsSync(join(folder, "node_modules", name, "package.json")),
    );
    if (missing !== undefined) return `node_modules/${missing}`;
    return existsSync(join(folder, "node_modules/.bin")) || dependencies.length === 0
      ? undefined
      : "node_modules/.bin";
  } catch (error) {
    return error instanceof SyntaxError ? "a whole package.json" : undefined;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function findingOf({ folder, lacks, servers }: NpxFacts["broken"][number]): Finding {
  const isUsed = servers.length > 0;
  return {
    id: "npx.broken",
    severity: isUsed ? "error" : "note",
    what: `this install of npx is not complete: ${folder} lacks ${lacks}`,
    why: isUsed
      ? `${named(servers)} would start from it: npx then says "command not found" or ENOTEMPTY. Without the folder it installs again.`
      : "No server on record uses it. Whatever does gets errors such as ENOTEMPTY; without the folder npx installs again.",
    mend: `rm -rf ${shellWord(folder)}`,
  };
}

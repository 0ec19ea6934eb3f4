import { basename, dirname } from "node:path";
import { stripComments } from "jsonc-parser";
import { parse as parseToml, stringify as stringifyToml } from "smol-toml";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { importedFrom } from "../../../src/importing/import.ts";
import { CLIENTS, COMPOSE, OTHERS, PM2, type Sample, SYSTEMD } from "./sources.ts";

/**
 * No key of a source is passed over in silence: taken away from the source, it has to make a difference to what is
 * imported, or to what is listed.
 */

interface Told {
  readonly all: string;
  /** Key paths that are listed. */
  readonly listed: readonly string[];
}

async function told({ file, text }: Sample): Promise<Told | undefined> {
  try {
    const { drafts, others, lost } = await importedFrom(text, {
      file,
      folder: dirname(file),
      home: "/home/ann",
    });
    const plain = drafts.map(({ line: _, ...draft }) => ({ ...draft, secrets: [...draft.secrets] }));
    const all = JSON.stringify([
      plain,
      others.map(({ name, why }) => [name, why]),
      lost.map(({ path, why }) => [path, why]),
    ]);
    return { all, listed: [...lost, ...others].map(({ path }) => `${path.join("/")}/`) };
  } catch {
    return undefined;
  }
}

/** What says no more than what holds without it. */
const SAYS_THE_DEFAULT = new RegExp(
  [
    '"(?:type|source)":"(?:stdio|local|custom|streamable-?[hH]ttp|remote|http)"',
    '"(?:disabled|watch)":false',
    '"(?:enabled|autorestart)":true',
    '"(?:instances)":1',
    '"exec_mode":"fork(?:_mode)?"',
    '"success_threshold":1',
    '"(?:host)":"127.0.0.1"',
    '"scheme":"http"',
    '"shell_argument":"-c"',
    '"interpreter":"(?:none|python3)"',
    '"(?:env|args|node_args|alwaysAllow)":(?:\\{\\}|\\[\\])',
    // As its script is called.
    '"name":"(?:api|worker|one|t|q)"',
    '"bundled":null',
    '"version":"[\\d.]+"',
    "^(?:Type=simple|Restart=no|autorestart ?= ?unexpected|process_name=.*|StandardOutput=journal|stopasgroup=.*|umask=022)$",
    "^(?:[#;].*|\\[.*\\]|)$",
  ].join("|"),
);

/** The source without each of its parts in turn, and what was taken away. */
function* lessened({ file, text }: Sample): Generator<{ without: string; at: string; sample: Sample }> {
  if (/\.(?:json|pm2|ya?ml|toml)$/.test(file)) {
    const [read, write] = file.endsWith(".toml")
      ? [parseToml as (text: string) => unknown, (value: unknown) => stringifyToml(value)]
      : /\.ya?ml$/.test(file)
        ? [(one: string) => parse(one, { merge: true }) as unknown, (value: unknown) => stringify(value)]
        : [(one: string) => JSON.parse(stripComments(one).replace(/,(\s*[}\]])/g, "$1")), JSON.stringify];
    const value = read(text);
    for (const path of pathsIn(value)) {
      const copy = structuredClone(value);
      const parent = path.slice(0, -1).reduce<Parts>((at, key) => at[key] as Parts, copy as Parts);
      const key = path.at(-1) as string | number;
      const without = JSON.stringify({ [key]: parent[key] }).slice(1, -1);
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      yield { without, at: `${path.join("/")}/`, sample: { file, text: write(copy) } };
    }
    return;
  }
  if (file.endsWith(".plist")) {
    for (const [pair] of text.matchAll(/<key>[^<]*<\/key>\n<(\w+)(?:\/>|>[^<]*<\/\1>)\n/g))
      yield { without: pair, at: "", sample: { file, text: text.replace(pair, "") } };
    for (const [item] of text.matchAll(/(?<!<\/key>\n)<string>[^<]*<\/string>\n/g))
      yield { without: item, at: "", sample: { file, text: text.replace(item, "") } };
    return;
  }
  const lines = text.split("\n");
  let section = "";
  for (const [i, line] of lines.entries()) {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const at = `${section}/${/^(\w+)/.exec(line)?.[1] ?? ""}/`;
    if (!/\\$|^\s/.test(line) && !/^\s/.test(lines[i + 1] ?? ""))
      yield { without: line, at, sample: { file, text: lines.filter((_, one) => one !== i).join("\n") } };
  }
}

type Parts = Record<string | number, unknown>;

/** Of every leaf, and of every block that is not empty. */
function pathsIn(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, part]) =>
    pathsIn(part, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 || inner.length > 0 ? inner : [path];
}

it.each(COMPOSE.map((sample) => [basename(sample.file), sample] as const))(
  "%s has every container, and leaves the rest to docker compose",
  async (_name, { file, text }) => {
    const { drafts, others, lost } = await importedFrom(text, {
      ...{ file, folder: dirname(file), home: "/home/ann" },
    });
    const services = Object.keys(parse(text, { merge: true }).services);
    expect([...drafts, ...others].map(({ name }) => name)).toEqual(services);
    expect(lost).toEqual([]);
    for (const { fields, name } of drafts) expect(fields.args?.slice(-3)).toEqual(["up", "--no-deps", name]);
  },
);

describe.each([
  ["clients", CLIENTS, 10],
  ["pm2", PM2, 10],
  ["systemd", SYSTEMD, 10],
  ["others", OTHERS, 12],
] as const)("of %s", (_tool, samples, count) => {
  it("there are enough", () => expect(samples.length).toBe(count));

  it.each(samples.map((sample) => [basename(sample.file), sample] as const))(
    "%s loses nothing in silence",
    async (_name, sample) => {
      const whole = await told(sample);
      expect(whole).toBeDefined();
      const silent: string[] = [];
      let count = 0;
      for (const { without, at, sample: less } of lessened(sample)) {
        count++;
        const isListed = whole?.listed.some((path) => at.startsWith(path));
        if (isListed || SAYS_THE_DEFAULT.test(without.trim())) continue;
        if ((await told(less))?.all === whole?.all) silent.push(without);
      }
      expect(silent).toEqual([]);
      expect(count).toBeGreaterThan(0);
    },
  );
});

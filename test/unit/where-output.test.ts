import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stepsOf } from "../cli/transcript.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Row {
  /** Shapes of lines; `…` stands for what differs. */
  readonly shapes: readonly string[];
  readonly places: readonly { readonly file: string; readonly name: string | undefined }[];
}

/** The table of docs/ARCHITECTURE.md that says where a line is made. */
function mapOf(page: string): Row[] {
  const part = /^## Where output is made\n(.*?)^## /ms.exec(page)?.[1] ?? "";
  const rows = [...part.matchAll(/^\| (`.*`.*?) \| (.*) \|$/gm)];
  return rows.map(([, lines = "", files = ""]) => ({
    shapes: [...lines.matchAll(/`([^`]+)`/g)].map(([, shape = ""]) => shape),
    places: [...files.matchAll(/`([\w/-]+\.ts)`(?: \(`(\w+)`\))?/g)].map(([, file = "", name]) => ({
      file,
      name,
    })),
  }));
}

const fits = (line: string, shape: string) =>
  new RegExp(`^${shape.split("…").map(escaped).join(".*")}$`).test(line.trim().replace(/ +/g, " "));
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
/** What of a shape must stand in the source. */
const wordsOf = (shape: string) => shape.match(/[A-Za-z]{3,}/g) ?? [];

/** What xy prints in the README's session, each line once. */
function linesOf(page: string): string[] {
  const own = stepsOf(page).filter(({ command }) => command.startsWith("xy "));
  const lines = own.flatMap(({ output }) => output.split("\n")).filter((line) => line.trim() !== "");
  return [...new Set(lines)];
}

/** Ten of them, drawn by a seed. */
function drawn(lines: readonly string[], seed: number): string[] {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const left = [...lines];
  return Array.from({ length: 10 }, () => left.splice(Math.floor(next() * left.length), 1)[0] ?? "");
}

/** Why the map does not lead to where the line is made; undefined: it does. */
function miss(line: string, rows: readonly Row[]): string | undefined {
  for (const { shapes, places } of rows) {
    const shape = shapes.find((one) => fits(line, one));
    if (shape === undefined) continue;
    if (places.length === 0 || places.length > 2) return `${shape}: ${places.length} files`;
    const sources = places.map(({ file }) => read(`src/${file}`));
    const absent = wordsOf(shape).filter((word) => !sources.some((source) => source.includes(word)));
    return absent.length > 0 ? `${shape}: ${absent.join(", ")} in none of its files` : undefined;
  }
  return "no row of the map fits";
}

describe("the map of where output is made", () => {
  const rows = mapOf(read("docs/ARCHITECTURE.md"));
  const lines = linesOf(read("README.md"));

  it("leads from ten lines of the README's session to two files at most, in which they are made", () => {
    const seed = Number(process.env.XY_TEST_SEED ?? Date.now() % 2 ** 31);
    console.log(`lines of the README: XY_TEST_SEED=${seed}`);
    expect(lines.length).toBeGreaterThan(30);
    const misses = drawn(lines, seed).flatMap((line) => {
      const why = miss(line, rows);
      return why === undefined ? [] : [`${line.trim()}: ${why}`];
    });
    expect(misses, `XY_TEST_SEED=${seed}`).toEqual([]);
  });

  it("leads from each of them", () => {
    expect(lines.flatMap((line) => (miss(line, rows) === undefined ? [] : [line.trim()]))).toEqual([]);
  });

  it("names functions that are in those files", () => {
    expect(rows.length).toBeGreaterThan(10);
    const places = rows.flatMap((row) => row.places);
    const absent = places.filter(
      ({ file, name = "" }) =>
        name === "" ||
        !new RegExp(`(?:function|const|async) ${name}\\b|^ +${name}\\(`, "m").test(read(`src/${file}`)),
    );
    expect(absent).toEqual([]);
  });

  it("does not know a line that nothing makes", () => {
    expect(miss("the moon is full", rows)).toBe("no row of the map fits");
    expect(miss("held: clock", [{ shapes: ["held: …"], places: [{ file: "main.ts", name: "x" }] }])).toBe(
      "held: …: held in none of its files",
    );
  });
});

/** Whether `--json` was given is known in one place: a command says what there is to show. */
it("asks for --json in the base of all commands alone", () => {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const asking = files.filter((file) => file.endsWith(".ts") && /\bjsonEnabled\(/.test(read(`src/${file}`)));
  expect(asking).toEqual(["commands/base.ts"]);
});

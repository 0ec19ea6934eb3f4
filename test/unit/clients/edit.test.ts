import { describe, expect, it } from "vitest";
import { entriesIn } from "../../../src/clients/content.ts";
import { type Edited, edit, type Origin } from "../../../src/clients/edit.ts";
import type { Format, Opened } from "../../../src/clients/formats/format.ts";
import { json } from "../../../src/clients/formats/json.ts";
import { toml } from "../../../src/clients/formats/toml.ts";
import { yaml } from "../../../src/clients/formats/yaml.ts";
import { CLIENT_ROWS } from "../../../src/clients/rows/rows.ts";
import type { Entry, Shape, ValueMap } from "../../../src/clients/types.ts";
import {
  below,
  type Chance,
  chanceOf,
  FOREIGN,
  type Generated,
  generateJson,
  generateToml,
  generateYaml,
  oneOf,
} from "./generate.ts";

const CASES = 5_000;
const SEED = Number(process.env.XY_TEST_SEED ?? Date.now() % 2 ** 31);

interface Subject {
  readonly name: string;
  readonly format: Format;
  readonly shapes: readonly Shape[];
  readonly generate: (chance: Chance, shape: Shape) => Generated;
}

const allShapes = Object.values(CLIENT_ROWS).flatMap(({ shapes }): readonly Shape[] => shapes);
const shapesOf = (name: Shape["format"]) => allShapes.filter(({ format }) => format === name);

/** Most of the work is that of the parsers: what the last text says is not asked again. */
function remembering(format: Format): Format {
  let last: Opened | undefined;
  return {
    open(text) {
      if (last?.text !== text) last = format.open(text);
      return last;
    },
  };
}

const SUBJECTS: readonly Subject[] = [
  { name: "JSON", format: remembering(json), shapes: shapesOf("json"), generate: generateJson },
  { name: "YAML", format: remembering(yaml), shapes: shapesOf("yaml"), generate: generateYaml },
  { name: "TOML", format: remembering(toml), shapes: shapesOf("toml"), generate: generateToml },
];

const OURS = ["notes", "memory", "web-1", "time_2"];

/** A client's file over its life: what is in it, and what xy knows. */
class Life {
  text: string | undefined;
  origin: Origin | undefined;
  readonly ours = new Map<string, ValueMap>();
  readonly #subject: Subject;
  readonly #shape: Shape;
  readonly #original: string | undefined;

  constructor(subject: Subject, shape: Shape, text: string | undefined) {
    this.#subject = subject;
    this.#shape = shape;
    this.text = this.#original = text;
  }

  change(set: readonly { name: string; value: ValueMap }[], remove: readonly string[]): Edited {
    const { text, origin } = this;
    const [format, shape] = [this.#subject.format, this.#shape];
    const ours = [...this.ours.keys()];
    const left = [...new Set([...ours, ...set.map(({ name }) => name)])].filter(
      (name) => !remove.includes(name),
    );
    const input = { format, shape, text, fresh: "", ours, left, origin, original: this.#original };
    const edited = edit(input, { set, remove });
    this.text = edited.text;
    this.origin = edited.origin;
    for (const name of remove) this.ours.delete(name);
    for (const { name, value } of set) this.ours.set(name, value);
    return edited;
  }

  /** As somebody else would. */
  addForeign(entry: Entry): void {
    const [mark, text] = (this.text ?? "").startsWith("\ufeff")
      ? ["\ufeff", this.text?.slice(1)]
      : ["", this.text];
    this.text =
      mark + this.#subject.format.open(text ?? "").change(this.#shape, { set: [entry], remove: [] }, 9);
  }

  get entries(): Entry[] {
    const { text = "" } = this;
    return entriesIn(this.#subject.format.open(text.replace(/^\ufeff/, "")).content, this.#shape);
  }
}

function entryOf(chance: Chance, shape: Shape, name: string): { name: string; value: ValueMap } {
  const named = shape.holds === "list" ? { name } : {};
  const url = `http://127.0.0.1:${8000 + below(chance, 999)}/mcp`;
  const more = oneOf<ValueMap>(chance, [
    {},
    { type: "http", headers: { Authorization: "Bearer {env:TOKEN}" } },
    { args: ["a b", "#", "'", '"'], enabled: true, timeout: 300 },
    { env: {}, tools: ["*"] },
  ]);
  return { name, value: { ...named, url, ...more } };
}

/** Whether all characters of one text are in the other, in their order. */
function isWithin(text: string, whole: string): boolean {
  let at = 0;
  for (const character of text) {
    at = whole.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

function expectPieces(pieces: readonly string[], text: string): void {
  const lost = pieces.find((piece) => !text.includes(piece));
  if (lost !== undefined) expect.fail(`not as it was: ${JSON.stringify(lost)} in ${JSON.stringify(text)}`);
}

function live(subject: Subject, chance: Chance): void {
  const shape = oneOf(chance, subject.shapes);
  const { text, pieces } = subject.generate(chance, shape);
  const life = new Life(subject, shape, text);
  const before = life.entries;
  const isShared = chance() < 0.25;
  for (let step = below(chance, 3); step >= 0; step--) {
    const set = OURS.filter(() => chance() < 0.4).map((name) => entryOf(chance, shape, name));
    const remove = [...life.ours.keys()].filter(
      (name) => chance() < 0.3 && set.every((entry) => entry.name !== name),
    );
    life.change(set, remove);
    if (life.text === undefined) expect.fail("the file is gone");
    expectPieces(pieces, life.text);
    if (!isWithin(text.trim(), life.text))
      expect.fail(`lost: ${JSON.stringify(text)} in ${JSON.stringify(life.text)}`);
    const isNew = (name: string) => before.every((entry) => entry.name !== name);
    const found = life.entries.filter(({ name }) => isNew(name) && name !== "theirs");
    expect(Object.fromEntries(found.map(({ name, value }) => [name, value]))).toEqual(
      Object.fromEntries(life.ours),
    );
    if (isShared && step === 0) life.addForeign(entryOf(chance, shape, "theirs"));
  }
  life.change([], [...life.ours.keys()]);
  if (!isShared)
    return void (
      life.text === text ||
      expect.fail(`not the same again: ${JSON.stringify(text)}, ${JSON.stringify(life.text)}`)
    );
  expectPieces(pieces, life.text ?? "");
  expect(life.entries.map(({ name }) => name)).toEqual([...before.map(({ name }) => name), "theirs"]);
}

describe.each(SUBJECTS)("files of clients in $name", (subject) => {
  it(`keep every byte that is not xy's, and come back as they were: ${CASES} files, seed ${SEED}`, () => {
    console.log(`XY_TEST_SEED=${SEED}`);
    for (let i = 0; i < CASES; i++) {
      try {
        live(subject, chanceOf(SEED + i));
      } catch (error) {
        throw new Error(`case ${i}, XY_TEST_SEED=${SEED + i}`, { cause: error });
      }
    }
  });
});

it("the names that are tried are not those of others", () => {
  expect(OURS.filter((name) => FOREIGN.includes(name))).toEqual([]);
});

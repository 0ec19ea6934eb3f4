import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The pages that people read, and what they show in code. */

const ROOT = join(import.meta.dirname, "../..");

/** Paths, from the project's folder, of the README and of every page of docs/. */
export const PAGES: readonly string[] = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file))
    .sort(),
];

export const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");

/** A fenced block of code. */
export interface Block {
  readonly page: string;
  /** Number of its first line. */
  readonly line: number;
  readonly language: string;
  /** What its fence says behind the language. */
  readonly kind: string;
  /** The file that it is: its first line is a comment that names it, or the line above does. */
  readonly file: string | undefined;
  readonly text: string;
}

/** Where a block is, for messages. */
export const placeOf = ({ page, line }: Block): string => `${page}:${line}`;

const FENCE = /^```(\w*)[ ]*(.*)\n([\s\S]*?)^```$/gm;
const NAMED_INSIDE = /^(?:\/\/|#) (\S+\.\w+)\n/;
const NAMED_ABOVE = /^`(\S+\.\w+)`\n\n$/m;

export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  return [...text.matchAll(FENCE)].map(({ index, 1: language = "", 2: kind = "", 3: code = "" }) => {
    const above = text.slice(0, index).split("\n").slice(-3).join("\n");
    const file = NAMED_INSIDE.exec(code)?.[1] ?? NAMED_ABOVE.exec(above)?.[1];
    return { page, line: text.slice(0, index).split("\n").length + 1, language, kind, file, text: code };
  });
}

/** What stands between backticks in the prose of a page. */
export function inlineOf(page: string): string[] {
  const prose = textOf(page).replaceAll(FENCE, "");
  return [...prose.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code = ""]) => code);
}

/** The anchors of a page: its headings as GitHub and npm name them. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of textOf(page)
    .replaceAll(FENCE, "")
    .matchAll(/^#+ (.*)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    let name = slug;
    for (let n = 1; anchors.has(name); n++) name = `${slug}-${n}`;
    anchors.add(name);
  }
  return anchors;
}

/** Where the links of a page lead, pictures too. */
export const linksOf = (page: string): string[] =>
  [
    ...textOf(page)
      .replaceAll(FENCE, "")
      .replace(/`[^`\n]*`/g, "")
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, link = ""]) => link);

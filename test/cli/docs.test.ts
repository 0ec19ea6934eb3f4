import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { actionInput } from "../../src/model/action-input.ts";
import { UNSUPPORTED } from "../../src/model/expression.ts";

const ROOT = join(import.meta.dirname, "../..");
const pages = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

it.each(pages)("%s links to what is there", (page) => {
  const text = readFileSync(join(ROOT, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = ""]) => link);
  const broken = links.filter(
    (link) => !/^https?:/.test(link) && !existsSync(join(ROOT, dirname(page), link)),
  );
  expect(broken).toEqual([]);
});

it("has a page in the list for every decision", () => {
  const list = readFileSync(join(ROOT, "docs/decisions/README.md"), "utf8");
  const files = readdirSync(join(ROOT, "docs/decisions")).filter((file) => /^\d{4}-/.test(file));
  expect(files.filter((file) => !list.includes(`(${file})`))).toEqual([]);
});

it("has every construct that a pattern cannot have, with a way", () => {
  const text = readFileSync(join(ROOT, "docs/readiness.md"), "utf8");
  for (const { syntax, name, way } of UNSUPPORTED)
    expect(text).toContain(`| \`${syntax}\`, ${name} | ${way} |`);
});

it("has every setting of an action in the reference", () => {
  const text = readFileSync(join(ROOT, "docs/reference/configuration.md"), "utf8");
  const part = text.slice(text.indexOf("## An action"), text.indexOf("## A project"));
  const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  for (const key of Object.keys(actionInput.shape)) expect(part).toContain(`| \`${kebab(key)}\` |`);
});

it("names every room of src in the architecture", () => {
  const text = readFileSync(join(ROOT, "docs/ARCHITECTURE.md"), "utf8");
  const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  for (const { name } of rooms) expect(text).toContain(`| \`src/${name}/\` |`);
});

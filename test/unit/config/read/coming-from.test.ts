import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { load } from "../../../../src/config/load.ts";
import { folderWith, formatted, requestFor } from "../rig.ts";

const PAGES = join(import.meta.dirname, "../../../../docs/coming-from");
const pages = readdirSync(PAGES).filter((name) => name !== "README.md");

/** The files that a page shows: a block that begins with the name of one. */
function filesOf(page: string): Record<string, string> {
  const text = readFileSync(join(PAGES, page), "utf8");
  const blocks = text.matchAll(/^```(?:kdl|yaml)\n(?:\/\/|#) (servers\.d\/\S+)\n([\s\S]*?)^```$/gm);
  return Object.fromEntries([...blocks].map(([, file = "", content = ""]) => [file, content]));
}

it.each(pages)("what %s shows is a configuration without a problem", async (page) => {
  const files = filesOf(page);
  expect(Object.keys(files)).not.toEqual([]);
  const folder = folderWith(files);
  const result = await load(requestFor(folder));
  expect(result.ok ? formatted(result.warnings, folder) : formatted(result.problems, folder)).toEqual([]);
  expect(result.ok && result.value.servers.map(({ name }) => `servers.d/${name}`).sort()).toEqual(
    Object.keys(files)
      .map((file) => file.replace(/\.\w+$/, ""))
      .sort(),
  );
});

it("has every page in its list", () => {
  const list = readFileSync(join(PAGES, "README.md"), "utf8");
  expect(pages.filter((page) => !list.includes(`(${page})`))).toEqual([]);
});

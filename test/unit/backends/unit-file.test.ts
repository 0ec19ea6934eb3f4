import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { UnitFile } from "../../../src/backends/units/unit-file.ts";
import { folderWith } from "../config/rig.ts";

const isOurs = (text: string) => text.startsWith("ours");

it("tells whose is what lies where a unit belongs, and follows links for that", () => {
  const folder = folderWith({ mine: "[Service]\n", ours: "ours\n", empty: "" });
  for (const target of ["mine", "ours", "/dev/null", "nowhere"])
    symlinkSync(target, join(folder, `to-${target.replaceAll("/", "")}`));
  const is = (name: string) => new UnitFile(join(folder, name), { isOurs }).is;
  expect(["missing", "ours", "mine", "empty"].map(is)).toEqual(["missing", "ours", "foreign", "foreign"]);
  expect(["to-ours", "to-mine", "to-devnull", "to-nowhere"].map(is)).toEqual([
    "linked",
    "foreign",
    "linked",
    "linked",
  ]);
});

import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { UnitStore } from "../../../src/backends/units/record.ts";
import { serverSpec } from "../../rig/spec.ts";
import { folderWith } from "../config/rig.ts";

it("loses nothing of a record that two change at once", () => {
  const state = folderWith();
  const spec = serverSpec("web", "/bin/web", []);
  const [mine, other] = [1, 2].map(() => new UnitStore(state, spec.project, "systemd"));
  if (!mine || !other) throw new Error("there are two");
  mine.write({
    version: 1,
    spec,
    secrets: {},
    file: "/units/web",
    text: "",
    operator: null,
    unfinished: true,
  });
  let calls = 0;
  mine.update("web", (record) => {
    calls += 1;
    // A person says stop between the reading and the writing.
    if (calls === 1) other.update("web", (now) => ({ ...now, operator: "stop" }));
    const { unfinished: _, ...whole } = record;
    return whole;
  });
  expect(calls).toBe(2);
  const after = other.read("web");
  expect(after?.operator).toBe("stop");
  expect(after).not.toHaveProperty("unfinished");
  expect(readdirSync(mine.dir)).toEqual(["web.json"]);
});

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { setAside } from "../../../src/system/files.ts";
import { setAsides, setAsideText } from "../../../src/system/set-asides.ts";

test("what was set aside is found wherever it was, and told with what is lost", () => {
  const state = fs.mkdtempSync(join(tmpdir(), "asides-"));
  onTestFinished(() => fs.rmSync(state, { recursive: true }));
  const own = [
    "projects/p/project.json",
    "projects/p/servers/web/state.json",
    "projects/p/servers/web/spec.json",
    "projects/p/units/systemd/db.json",
    "projects/p/jobs/servers/web/journal",
    "projects/p/jobs/inline/journal.unread",
    "projects/p/actions.json",
  ];
  const remade = [
    ...[
      "agent.json",
      "agent.loop",
      "agent.sh",
      "agent.program",
      "agent.next",
      "agent.previous",
      "agent.failed",
    ],
    ...["agent.lock", "agent.programs", "ready", "locks/p"],
  ];
  const others = ["projects/other/project.json", "projects/other/jobs"];
  const shared = ["key", "jobs.next", "trust/abc.json", ...remade];
  for (const path of [...own, ...shared, ...others]) {
    fs.mkdirSync(join(state, dirname(path)), { recursive: true });
    fs.writeFileSync(join(state, path), "");
    setAside(join(state, path), 5);
  }
  const all = setAsides(state);
  expect(all.map(({ from }) => from.slice(state.length + 1)).sort()).toEqual(
    [...own, ...shared, ...others].sort(),
  );
  expect(all.filter(({ path }) => !fs.existsSync(path))).toEqual([]);
  expect(setAsides(state, "p")).toHaveLength(own.length + shared.length);
  const lost = Object.fromEntries(all.map(({ from, lost: what }) => [from.slice(state.length + 1), what]));
  expect(lost["projects/p/servers/web/state.json"]).toContain("whether a person had stopped it");
  expect(lost["projects/p/project.json"]).toContain("ports");
  expect(lost["projects/p/jobs/inline/journal.unread"]).toContain("jobs");
  expect(lost["projects/other/jobs"]).toBe("the project's jobs");
  expect(lost.key).toContain("secrets");
  for (const path of remade) expect([path, lost[path]]).toEqual([path, null]);
  expect(setAsideText(all[0] as (typeof all)[0])).toMatch(/^\/.* was damaged and set aside as /);
});

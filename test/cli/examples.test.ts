import { join } from "node:path";
import { expect, it } from "vitest";
import { newHome } from "./cli.ts";

const ROOT = join(import.meta.dirname, "../..");

it("the example servers can be started from a clone", async () => {
  const home = newHome();
  const { code, stdout, stderr } = await home.xyIn({ cwd: home.path }, "plan", "--config", ROOT, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ summary: { add: ["everything", "memory"] }, diagnostics: [] });
});

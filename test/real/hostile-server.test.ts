import { expect, test } from "vitest";
import { newHome } from "../cli/cli.ts";

/** What a server can do to whoever keeps it. Every other server, and every command, goes on meanwhile. */

/** A line on which a matcher that goes back takes hours: each word may be the one that the next part begins after. */
const TRAP = `const line = "ready listening ".repeat(4096); setInterval(() => console.log(line), 100);`;

test("a line that a pattern could be slow on keeps nobody waiting", async () => {
  const home = newHome();
  home.write(
    "servers.d/trap.kdl",
    `command "node"\nargs "-e" ${JSON.stringify(TRAP)}\nport "none"\nreadiness "log" pattern="ready.*listening.*port"\n`,
  );
  home.declare("web");
  await home.did("apply", "--yes", "--no-wait");
  const printed = home.xyRunning("logs", "trap", "--follow");
  await printed.prints("ready listening ready");
  expect(await home.servers()).toMatchObject({
    web: { state: "running" },
    trap: { state: "running" },
  });
  expect(await home.did("stop", "web")).toContain("web");
  const probe = await home.xy("probe", "trap");
  expect(probe).toMatchObject({ code: 1, stdout: expect.stringContaining("matches ready.*listening.*port") });
});

test("a flood of output before readiness keeps nobody waiting, and its line is found", async () => {
  const home = newHome();
  const flood =
    "i=0; while [ $i -lt 20000 ]; do echo $i of a flood of lines that nobody waits for; i=$((i+1)); done; echo now it is ready; exec sleep 600";
  home.write(
    "servers.d/loud.kdl",
    `command "sh"\nargs "-c" ${JSON.stringify(flood)}\nport "none"\nreadiness "log" pattern="is (ready|up)$"\n`,
  );
  home.declare("web");
  expect(await home.did("apply", "--yes")).toContain("loud: added, ready: printed: now it is ready");
});

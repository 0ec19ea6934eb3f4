import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { parsePs } from "../../../src/system/process-rows.ts";
import { identify, isRunning, nameOf, processTable } from "../../../src/system/processes.ts";

test("a process is known by more than its pid", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const id = identify(child.pid as number);
  expect(id).toMatchObject({ pid: child.pid });
  if (!id) throw new Error("not found");
  expect(isRunning(id)).toBe(true);
  expect(isRunning({ ...id, start: "1" })).toBe(false);
  expect(isRunning({ ...id, boot: "another" })).toBe(false);
  child.stdin?.end();
  await once(child, "exit");
  expect(isRunning(id)).toBe(false);
});

test("a zombie is gone", async () => {
  // The shell never waits for its child: it becomes `sleep`, which does not know that it has one.
  const child = spawn("/bin/sh", ["-c", "true & echo $!; exec sleep 30"], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const [line] = await once(child.stdout, "data");
  const zombie = Number(String(line));
  while (identify(zombie)) await new Promise((resolve) => setImmediate(resolve));
  const group = (await processTable()).rows.filter((row) => row.group === child.pid);
  expect(group.map(({ pid }) => pid)).toEqual([child.pid]);
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("the rows of ps are read, start times with their spaces included", () => {
  const text = `
    1     0     1 Ss   Mon Nov 16 09:12:01 2026
  812   410   812 R+   Fri Nov 20 10:00:00 2026
  813   812   812 Z    Fri Nov 20 10:00:02 2026
`;
  expect(parsePs(text)).toEqual([
    { pid: 1, parent: 0, group: 1, state: "S", start: "Mon Nov 16 09:12:01 2026" },
    { pid: 812, parent: 410, group: 812, state: "R", start: "Fri Nov 20 10:00:00 2026" },
    { pid: 813, parent: 812, group: 812, state: "Z", start: "Fri Nov 20 10:00:02 2026" },
  ]);
});

test.each([
  ["/usr/bin/node\0server.js\0", "MainThread\n", "node"],
  ["node\0", "node\n", "node"],
  ["-bash\0", "bash\n", "bash"],
  ["nginx: master process nginx\0", "nginx\n", "nginx"],
  ["", "kthreadd\n", "kthreadd"],
])("the process of %j has a name", (cmdline, comm, name) => {
  expect(nameOf(cmdline, comm)).toBe(name);
});

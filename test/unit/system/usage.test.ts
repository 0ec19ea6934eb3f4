import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { unitFamily } from "../../../src/system/family.ts";
import { parsePsUsage, usageOf } from "../../../src/system/usage.ts";

test("what a process uses is told, with its children, and not what is gone", async () => {
  const script = "sleep 30 & echo $!; while :; do :; done";
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  const sleeper = Number(String((await once(child.stdout, "data"))[0]));
  const family = (await unitFamily(child.pid)).map(({ pid }) => pid);
  expect(family.sort()).toEqual([child.pid, sleeper].sort());
  const usage = await usageOf([...family, 4_194_303]);
  const busy = usage.find(({ pid }) => pid === child.pid);
  const idle = usage.find(({ pid }) => pid === sleeper);
  expect(usage).toHaveLength(2);
  expect(busy).toMatchObject({
    parent: process.pid,
    program: "sh",
    command: `/bin/sh -c ${script}`,
    threads: 1,
  });
  expect(idle).toMatchObject({ parent: child.pid, program: "sleep", command: "sleep 30", cpuPercent: 0 });
  expect(busy?.cpuPercent).toBeGreaterThan(0);
  for (const one of usage) expect(one.memory).toBeGreaterThan(0);
  expect(Math.abs(Date.now() - (busy?.startedAt ?? 0))).toBeLessThan(60_000);
  process.kill(-(child.pid as number), "SIGKILL");
  await once(child, "exit");
  expect(await usageOf(family)).toEqual([]);
});

test("the rows of ps are read", () => {
  const text = `
  812   410  12.5   0:01.27  20480 Fri Nov 20 10:00:00 2026 /usr/local/bin/node server.js --port 8421
  813   812   0.0 1-02:03:04    512 Fri Nov  6 10:00:02 2026 (sleep)
nonsense
`;
  expect(parsePsUsage(text)).toEqual([
    {
      pid: 812,
      parent: 410,
      program: "node",
      command: "/usr/local/bin/node server.js --port 8421",
      cpuPercent: 12.5,
      cpuSeconds: 1.27,
      memory: 20_480 * 1024,
      startedAt: Date.UTC(2026, 10, 20, 10),
      threads: undefined,
    },
    expect.objectContaining({ pid: 813, cpuSeconds: 93_784, memory: 512 * 1024, cpuPercent: 0 }),
  ]);
});

import { expect, it } from "vitest";
import { revive } from "../../../../src/config/resolve/revive.ts";
import { action, desired, secret, spec } from "../../reconciler/fixtures.ts";
import { worldOf } from "../rig.ts";

const HERE = { program: "/bin/sh", command: "sh", workingDir: "/" };

it("actions of an earlier generation are as they were, with their secrets looked up anew", async () => {
  const env = { A: "1", TOKEN: secret("then", "TOKEN") };
  const past = { ...desired(), actions: [action("b", "web", { ...HERE, env }), action("c", null, HERE)] };
  const revived = await revive(past, { ...worldOf({ env: { TOKEN: "now" } }), folderOf: () => "/" });
  expect(revived.diagnostics).toEqual([]);
  expect(revived.desired).toEqual({
    ...past,
    actions: [
      { ...past.actions[0], env: { A: "1", TOKEN: secret("hmac of now", "TOKEN") } },
      past.actions[1],
    ],
  });
  expect(revived.actionSecrets).toEqual({ "web:b": { TOKEN: "now" } });
});

it("what an earlier generation needs and is not there is told by the name of the action", async () => {
  const lost = { ...HERE, program: "/no/such/program", command: "tool" };
  const past = {
    ...desired(spec("web", { ...lost, env: {} })),
    actions: [
      action("b", "web", lost),
      action("c", null, { ...HERE, workingDir: "/no/such/folder", env: { T: secret("x", "GONE") } }),
    ],
  };
  const { diagnostics } = await revive(past, { ...worldOf(), folderOf: () => "/" });
  expect(diagnostics).toEqual([
    {
      severity: "error",
      server: "web",
      message: expect.stringMatching(/^cannot run "tool": \/no\/such\/program does not exist/),
    },
    {
      severity: "error",
      server: "web",
      message: expect.stringMatching(/^action web:b: cannot run "tool": /),
    },
    {
      severity: "error",
      action: "c",
      message: expect.stringMatching(/^action c: cannot run in \/no\/such\/folder: it does not exist/),
    },
    {
      severity: "error",
      action: "c",
      message: expect.stringMatching(/^action c: cannot get the secret for T: the variable GONE is not set/),
    },
  ]);
});

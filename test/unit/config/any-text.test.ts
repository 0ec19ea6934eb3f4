import fc from "fast-check";
import { expect, it } from "vitest";
import { problemsOf } from "./rig.ts";

/** Pieces of each format, put together in every wrong way. */
const pieces = fc.array(
  fc.constantFrom(
    ..."{}[]()\"'`=:;,#-/\\&*!|>?%@~ \n\t\r\u0000\uFEFF\u2028é😀0a".split(/(?:)/u),
    '"""',
    '#"',
    "/-",
    "/*",
    "*/",
    "//",
    "- ",
    ": ",
    "? ",
    "---",
    "<<: ",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    "#true",
    "1_0",
    "0x",
    ".5",
    "\\u{41}",
    "\\",
    "command",
    "port",
    "env",
    "server",
    "restart",
    "policy",
    "(env)",
    "null",
    "true",
    "servers:\n  ",
    '{"a":1}',
  ),
  { maxLength: 30 },
);
const anyText = fc.oneof(
  pieces.map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 60 }),
);

it.each(["kdl", "yaml", "json"])(
  "whatever stands in a file of %s, the answer is a list of problems with places",
  async (extension) => {
    const check = fc.asyncProperty(anyText, fc.boolean(), async (text, main) => {
      const problems = await problemsOf({
        [main ? `xy.config.${extension}` : `servers.d/a.${extension}`]: text,
      });
      for (const problem of problems) expect(problem).toMatch(/^[\w./]+(:\d+:\d+)?: cannot /);
      // Nothing leaves out both the command and the port.
      if (!main) expect(problems.length).toBeGreaterThan(0);
    });
    await fc.assert(check, { numRuns: 400 });
  },
  60_000,
);

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseKdl } from "../../../../src/config/read/kdl-parser.ts";
import { plainKdl } from "../../../../src/config/read/kdl-plain.ts";
import { MAX_DEPTH } from "../../../../src/config/read/nesting.ts";

/** What the library reads is what counts: the quick way gives the same nodes, places too, or none. */
async function isSame(text: string): Promise<boolean> {
  const quick = plainKdl(text);
  if (quick !== undefined) expect({ nodes: quick, problems: [] }, text).toEqual(await parseKdl(text));
  return quick !== undefined;
}

describe("texts that are plain", () => {
  it.each([
    "",
    "\n\n",
    "a",
    "a;b",
    'command "node"\nargs "-e" "x y" ""',
    "a 1 -2 +3.5 0 -0 1.50 9999999999999999999",
    "a #true #false #null word --flag -f x.y:z@1",
    'a "\\n\\r\\t\\\\\\"\\b\\f\\s" "é – ü" "a\tb"',
    'a b=1 c d=#true "e"=f g=(env)"H" b=2',
    'env {\n  A "1"\n  B (env)"C"; D (file)"~/x" \n}\nport "auto"',
    "a{b}\nc {d;e}  ; f { }\n",
    'a "x"{b x=1{c}}',
    "// first\na // one\n  b//two\n\tc 1//\n{}".replace("\n{}", ""),
    'on host="work" {\n\tport 8080\n}  // end\n',
    "a {\n  // nothing\n\n}",
    `${"a {".repeat(MAX_DEPTH)}${"}".repeat(MAX_DEPTH)}`,
  ])("%j", async (text) => {
    expect(await isSame(text)).toBe(true);
  });
});

describe("texts that are not are left to the library", () => {
  it.each([
    "\uFEFFa",
    "a\r\nb",
    "a\u2028b",
    "a \u00A0b",
    'a "😀"',
    'a "\u0007"',
    'a #"raw"#',
    'a """\n  x\n  """',
    'a "\\u{41}"',
    'a "x\\\n  y"',
    'a "x\ny"',
    'a "x',
    'a "\\x"',
    "a 0x1F",
    "a 1_000",
    "a 1e3",
    "a 1.",
    "a .5",
    "a #inf",
    "a true",
    "a -inf",
    "null",
    "a b = c",
    "a b=",
    "a 1=2",
    "a (t)b=c",
    "a b=c=d",
    "(t)a",
    "a ( t )b",
    "a (t) b",
    "a b)",
    'a"b"',
    'a "b""c"',
    "a {b}c",
    "a {b} {c}",
    "a {b} c",
    "a {",
    "a }",
    "}",
    "a;;b",
    ";",
    "a/-b",
    "/-a",
    "a /* b */ c",
    "a \\\n  b",
    "a [b]",
    "a é",
    "a#true",
    "a #truex",
    "a / b",
    `${"a {".repeat(MAX_DEPTH + 1)}${"}".repeat(MAX_DEPTH + 1)}`,
  ])("%j", (text) => {
    expect(plainKdl(text)).toBeUndefined();
  });
});

it("whatever it takes of texts of all kinds, it reads as the library does", async () => {
  const piece = fc.constantFrom(
    ..."ab-01.9 \n\t;={}()\"'\\/#_:é\u00A0\r,<".split(""),
    ...'# #true #null #inf // /* */ /- "" "x" """ \\n -1 +2.5 1.5 (env)"A" k=v "k"=1 true -inf --p'.split(
      " ",
    ),
    " a ",
    " 1 ",
    "\na ",
    " { b 1\n}",
    "{c}",
  );
  const texts = fc.sample(
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
    3000,
  );
  let taken = 0;
  for (const text of texts) if (await isSame(text)) taken++;
  expect(taken).toBeGreaterThan(50);
});

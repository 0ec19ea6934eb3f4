import { expect, it } from "vitest";
import {
  supervisordToken,
  supervisordValue,
  systemdRest,
  systemdToken,
  xmlText,
} from "../../../src/backends/unit-text.ts";

it.each([
  ["plain", '"plain"'],
  ["", '""'],
  ["a b;c #d", '"a b;c #d"'],
  ["100%", '"100%%"'],
  ['say "hi"', '"say \\"hi\\""'],
  ["C:\\dir", '"C:\\\\dir"'],
  ["two\nlines\tand a tab", '"two\\nlines\\tand a tab"'],
  ["$HOME", '"$HOME"'],
  ["\r\u0001\u007f", '"\\x0d\\x01\\x7f"'],
])("systemd reads %j from %s", (text, written) => {
  expect(systemdToken(text)).toBe(written);
});

it("writes the rest of a line as it is, but for the percent sign", () => {
  expect(systemdRest('/a b/100%/"c"')).toBe('/a b/100%%/"c"');
  for (const text of ["/a\nb", "/a ", " /a", "/a\\"])
    expect(() => systemdRest(text)).toThrow(/^cannot write /);
});

it("writes XML, and refuses what it cannot hold", () => {
  expect(xmlText("a & b < c > d \" '")).toBe("a &amp; b &lt; c &gt; d \" '");
  for (const text of ["\u0000", "\u001b[0m", "\ud800"]) expect(() => xmlText(text)).toThrow(/^cannot write /);
});

/** Expands to nothing. */
const Z = "%(program_name).0s";

it.each([
  ["", '""'],
  ["a b", '"a b"'],
  ["100%", '"100%%"'],
  ['C:\\"q"', '"C:\\\\\\"q\\""'],
  ["a ; b#", `"a ${Z}; b${Z}#"`],
  ["two\n lines", `"two${Z}\n ${Z} lines"`],
  ["%(here)s", `"%%${Z}(here)s"`],
])("supervisord reads the word %j from %s", (text, written) => {
  expect(supervisordToken(text)).toBe(written);
});

it("keeps the spaces at the ends of a value for supervisord", () => {
  expect(supervisordValue("/a b")).toBe("/a b");
  expect(supervisordValue("/a ")).toBe(`${Z}/a ${Z}`);
});

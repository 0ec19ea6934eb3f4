import { expect, it } from "vitest";
import { systemdRest, systemdToken, xmlText } from "../../../src/backends/unit-text.ts";

it.each([
  ["plain", '"plain"'],
  ["", '""'],
  ["a b;c #d", '"a b;c #d"'],
  ["100%", '"100%%"'],
  ['say "hi"', '"say \\"hi\\""'],
  ["C:\\dir", '"C:\\\\dir"'],
  ["two\nlines\tand a tab", '"two\\nlines\\tand a tab"'],
  ["$HOME", '"$HOME"'],
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

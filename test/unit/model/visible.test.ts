import { describe, expect, it } from "vitest";
import { printedLine, quotedLine, visible, visibleJson, visibleLines } from "../../../src/model/visible.ts";

describe("text from outside", () => {
  it.each([
    ["plain ~ text, C:\\new", "plain ~ text, C:\\new"],
    ["日本語 é ß — “quoted” …", "日本語 é ß — “quoted” …"],
    ["a\nb\r\n\tc", "a\\nb\\r\\n\\tc"],
    ["\x00\x07\x08\x7f", "\\u{0}\\u{7}\\u{8}\\u{7f}"],
    ["\x1b[31mred\x1b]0;title\x07", "\\u{1b}[31mred\\u{1b}]0;title\\u{7}"],
    ["\x9b31m\x85", "\\u{9b}31m\\u{85}"],
    ["gnp\u202eexe.\u2066x\u2069", "gnp\\u{202e}exe.\\u{2066}x\\u{2069}"],
    ["a\u200bb\u200c\u200dc\u2060\ufeff\u00ad", "a\\u{200b}b\\u{200c}\\u{200d}c\\u{2060}\\u{feff}\\u{ad}"],
    ["a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
    ["\u{e0041}\u{e007f}\u{e0100}", "\\u{e0041}\\u{e007f}\\u{e0100}"],
    ["a\ufe0fb\ufe00\u180b\u034f\u3164\u115f", "a\\u{fe0f}b\\u{fe00}\\u{180b}\\u{34f}\\u{3164}\\u{115f}"],
    ["\ud800x\udc00", "\\u{d800}x\\u{dc00}"],
  ])("shows all that is in it (%#)", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it.each(["❤️", "👩‍👩‍👧", "🏃🏽‍♀️", "🏳️‍🌈", "1️⃣ #️⃣", "🇩🇪", "👍🏽 and ✨", "©️"])("leaves %s as it is", (emoji) => {
    expect(visible(`a ${emoji} b`)).toBe(`a ${emoji} b`);
  });

  it.each([
    ["1\ufe0f", "1\\u{fe0f}"],
    ["❤️\ufe0f", "❤️\\u{fe0f}"],
    ["👩\u200d", "👩\\u{200d}"],
    ["👩\u200d\u200d👧", "👩\\u{200d}\\u{200d}👧"],
    ["\u200d👩", "\\u{200d}👩"],
    ["👩\u200da", "👩\\u{200d}a"],
    ["🏴\u{e0067}\u{e007f}", "🏴\\u{e0067}\\u{e007f}"],
  ])("lets nothing hide behind an emoji (%#)", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it("keeps line feeds, and nothing else, in a text of several lines", () => {
    expect(visibleLines("a\r\n\n\tb\x1b\n")).toBe("a\\r\n\n\\tb\\u{1b}\n");
  });

  it("is shown the same if it is shown twice", () => {
    const text = "a\x1b[2J\u202e\u{e0041}❤️";
    expect(visible(visible(text))).toBe(visible(text));
  });
});

/** Every character whose category or property says that nobody sees it, from Unicode's own words for them. */
it("lets no character of the kinds through", () => {
  const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/u;
  const through: string[] = [];
  for (let point = 0; point <= 0x10ffff; point++) {
    const character = String.fromCodePoint(point);
    if (unseen.test(visible(`a${character}b`))) through.push(point.toString(16));
    if (unseen.test(visibleJson(JSON.stringify(character)))) through.push(`${point.toString(16)} in JSON`);
  }
  expect(through).toEqual([]);
});

describe("a line that a program printed", () => {
  it.each([
    ["plain", "plain", "plain"],
    ["\ta\tb", "\ta\tb", "  a  b"],
    ["done\r", "done", "done"],
    ["10%\r20%\r", "10%\\r20%", "10%\\r20%"],
    ["\x1b[1;38:5:9mred\x1b[mplain", "\x1b[1;38:5:9mred\x1b[mplain\x1b[0m", "redplain"],
    ["\x1b[2J\x1b[?1m\x9b31m", "\\u{1b}[2J\\u{1b}[?1m\\u{9b}31m", "\\u{1b}[2J\\u{1b}[?1m\\u{9b}31m"],
    ["\x1b[31\x1b[1mm", "\\u{1b}[31\x1b[1mm\x1b[0m", "\\u{1b}[31m"],
  ])("keeps its colours to itself: %#", (line, coloured, quoted) => {
    expect(printedLine(line, true)).toBe(coloured);
    expect(quotedLine(line)).toBe(quoted);
  });
});

describe("JSON", () => {
  it("means the same, and is laid out the same", () => {
    const value = { "k\u202e": ["\x1b[2J\x9b\n", "\u{e0041}\ufe0f❤️\ud800"], b: 1 };
    const json = visibleJson(JSON.stringify(value, null, 2));
    expect(JSON.parse(json)).toEqual(value);
    expect(json.split("\n")).toHaveLength(7);
    expect(json).toContain("\\udb40\\udc41");
    expect(json).toContain("k\\u202e");
  });
});

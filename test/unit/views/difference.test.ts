import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visible } from "../../../src/model/visible.ts";
import { difference } from "../../../src/views/difference.ts";
import { displayWidth } from "../../../src/views/width.ts";

const PATH = "/home/ada/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Columns of what is one letter to a person, and may be written as escapes. */
const LONGEST_LETTER = 400;

describe("a changed value", () => {
  test("that fits is shown as it is", () => {
    expect(difference("debug", "info", 40)).toEqual({ from: "debug", to: "info" });
  });

  test("is cut around what differs", () => {
    const long = "a".repeat(3000);
    expect(difference(`${long}1${long}`, `${long}2${long}`, 40)).toEqual({
      from: `…${"a".repeat(13)}1${"a".repeat(24)}…`,
      to: `…${"a".repeat(13)}2${"a".repeat(24)}…`,
    });
    // At the end there is more room before it.
    expect(difference(`${PATH}:/opt/a`, `${PATH}:/opt/b`, 40)).toEqual({
      from: `…${`${PATH}:/opt/a`.slice(-39)}`,
      to: `…${`${PATH}:/opt/b`.slice(-39)}`,
    });
  });

  test("is shown with all that differs, however much it is", () => {
    const [from, to] = [`x${PATH}a${PATH}b${PATH}`, `x${PATH}c${PATH}d${PATH}`];
    const shown = difference(from, to, 40);
    expect(shown.from).toBe(`…${PATH.slice(-13)}a${PATH}b…`);
    expect(shown.to).toBe(`…${PATH.slice(-13)}c${PATH}d…`);
  });

  test.each([
    ["an accent in one character, or in two", "caf\u00e9", "cafe\u0301", "caf\\u{e9}", "cafe\\u{301}"],
    ["a letter of another script", "paypal", "p\u0430ypal", "paypal", "p\\u{430}ypal"],
    ["a blank that does not break", "a b", "a\u00a0b", "a b", "a\\u{a0}b"],
    ["blanks at the end", "a", "a  ", "a", "a\\u{20}\\u{20}"],
    ["a fullwidth letter", "x", "\uff58", "x", "\\u{ff58}"],
    ["what is escaped already", "\\n", "\n", "\\\\n", "\\n"],
    [
      "a mark among many",
      "a\u0301\u0302\u0303\u0304",
      "a\u0301\u0302\u0303\u0305",
      "a\\u{301}\\u{302}\\u{303}\\u{304}",
      "a\\u{301}\\u{302}\\u{303}\\u{305}",
    ],
    ["a mark on a quote", '"\u0301"', '""', '"\\u{301}"', '""'],
    ["the direction of the text", "a\u202eb", "ab", "a\\u{202e}b", "ab"],
  ])("shows what nobody would see: %s", (_, from, to, shownFrom, shownTo) => {
    expect(difference(from, to, 60)).toMatchObject({ from: shownFrom, to: shownTo });
  });

  /** Texts that share much, of everything that is hard to show. */
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 12 }) },
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.constantFrom(
      ...[
        "漢字",
        "👩‍👩‍👧‍👦",
        "e\u0301",
        "\u0301",
        "\u200b",
        "\x1b[31m",
        "\n",
        "\\n",
        "…",
        "ﷺ",
        "🇩🇪",
        "क्षि",
        " ",
        "\u00a0",
      ],
      ...["a\u0301".concat("\u0302".repeat(40)), "\ud800", "\u1100\u1161", "1\ufe0f\u20e3"],
    ),
    fc.integer({ min: 50, max: 400 }).map((length) => "/opt/long".repeat(length / 9)),
  );
  const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
  const pair = fc
    .tuple(text, text, text, text)
    .map(([head, a, b, tail]) => [`${head}${a}${tail}`, `${head}${b}${tail}`] as const)
    .filter(([from, to]) => from !== to);

  test("never hides that it changed, nor what is new, at any width", () => {
    fc.assert(
      fc.property(pair, fc.integer({ min: 40, max: 200 }), ([from, to], width) => {
        const [whole, shown] = [difference(from, to), difference(from, to, width)];
        expect(shown.from).not.toBe(shown.to);
        const [all, other] = [whole.from, whole.to];
        let first = 0;
        while (first < all.length && all[first] === other[first]) first++;
        let same = 0;
        const most = Math.min(all.length, other.length) - first;
        while (same < most && all[all.length - 1 - same] === other[other.length - 1 - same]) same++;
        const pieces = [
          [all, shown.from],
          [other, shown.to],
        ] as const;
        for (const [text, piece] of pieces) {
          expect(visible(piece)).toBe(piece);
          const differing = text.slice(first, text.length - same);
          expect(piece).toContain(differing);
          // The rest fits, where it leaves room for any; letters are not divided.
          const needed = displayWidth(differing) + width / 3 + 2 + LONGEST_LETTER;
          expect(displayWidth(piece)).toBeLessThanOrEqual(Math.max(width, needed));
          const bare = piece.replace(/^…/, "").replace(/…$/, "");
          expect(text.includes(piece) || text.includes(bare), `${text} ${piece}`).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("fits wherever what differs does", () => {
    const short = fc.string({ unit: "grapheme-ascii", maxLength: 12 });
    fc.assert(
      fc.property(text, short, short, text, fc.integer({ min: 40, max: 200 }), (head, a, b, tail, width) => {
        const shown = difference(`${head}|${a}|${tail}`, `${head}|${b}|${tail}`, width);
        for (const piece of [shown.from, shown.to]) expect(displayWidth(piece)).toBeLessThanOrEqual(width);
      }),
      { numRuns: 100 },
    );
  });
});

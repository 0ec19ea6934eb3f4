import { describe, expect, test } from "vitest";
import { Redactor } from "../../../src/model/redact.ts";

const SECRET = "pass word/+ü?";
const redactor = new Redactor({ TOKEN: SECRET, SHORT: "abc123" }, {});
const hidden = (text: string) => redactor.text(text);

test("of a line that may go on, the beginning of a secret at its end is hidden too", () => {
  expect(redactor.unfinished(`is ${SECRET.slice(0, 6)}`)).toBe("is (secret TOKEN)");
  expect(redactor.unfinished("Password: ")).toBe("Password: ");
  expect(redactor.unfinished(`${SECRET}: abc12`)).toBe("(secret TOKEN): (secret SHORT)");
});

describe("a secret is found", () => {
  test.each([
    ["as it is", SECRET],
    ["in a URL", encodeURIComponent(SECRET)],
    ["in a form", encodeURIComponent(SECRET).replaceAll("%20", "+")],
    ["in hexadecimal digits", Buffer.from(SECRET).toString("hex")],
    ["in large ones", Buffer.from(SECRET).toString("hex").toUpperCase()],
  ])("%s", (_, text) => {
    expect(hidden(`<${text}>`)).toBe("<(secret TOKEN)>");
  });

  test.each(["base64", "base64url"] as const)("in %s, wherever it begins there", (encoding) => {
    for (let before = 0; before < 6; before++)
      for (let after = 0; after < 3; after++) {
        const bytes = Buffer.concat([
          Buffer.alloc(before, "u"),
          Buffer.from(SECRET),
          Buffer.alloc(after, "z"),
        ]);
        const shown = hidden(bytes.toString(encoding));
        expect(shown).toContain("(secret TOKEN)");
        // At most the characters that its neighbours share with it are left.
        expect(shown.replace("(secret TOKEN)", "").length).toBeLessThanOrEqual(
          Math.ceil(((before + after) * 4) / 3) + 4,
        );
      }
  });

  test("line by line, where it has several", () => {
    const keys = new Redactor({ KEY: "first line of it\nsecond line of it\n" }, {});
    expect(keys.text(`got second line of it, ${Buffer.from("first line of it").toString("hex")}`)).toBe(
      "got (secret KEY), (secret KEY)",
    );
  });

  test("after it was replaced, in what was printed before", () => {
    const renewed = new Redactor({ TOKEN: "old-value-of-it" }, {});
    renewed.renew({ TOKEN: "new-value-of-it" }, {});
    const old = Buffer.from("old-value-of-it").toString("base64");
    expect(renewed.text(`new-value-of-it ${old}`)).toBe("(secret TOKEN) (secret TOKEN)");
  });
});

test("of a short one other writings are not looked for: they stand in too many harmless words", () => {
  expect(hidden("abc123 616263313233")).toBe("(secret SHORT) 616263313233");
});

test("a longer secret that holds another is hidden whole", () => {
  expect(new Redactor({ A: "longpassword", B: "password" }, {}).text("longpassword password")).toBe(
    "(secret A) (secret B)",
  );
});

test("of an env file numbers, words of settings and plain paths are no secrets", () => {
  const values = {
    PORT: "8080",
    SINCE: "2026-11-28",
    MODE: "development",
    FOLDER: "/usr/share/things",
    HOME_OF: "~/notes",
    TOKEN: "hunter-in-the-dark",
    KEYLIKE: "/Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA",
  };
  const ofFile = Object.fromEntries(
    Object.keys(values).map((name) => [name, { secret: { envFile: "/x/.env", name }, hmac: "" }]),
  );
  const text = Object.values(values).join(" ");
  expect(new Redactor(values, ofFile).text(text)).toBe(
    "8080 2026-11-28 development /usr/share/things ~/notes (secret TOKEN) (secret KEYLIKE)",
  );
  // Whoever writes a reference for one of them means it.
  const meant = { MODE: { secret: { env: "MODE" }, hmac: "" } };
  expect(new Redactor({ MODE: "development" }, meant).text("development")).toBe("(secret MODE)");
});

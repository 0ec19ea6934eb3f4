import { describe, expect, it, test } from "vitest";
import { type Account, faultOf, faultText, type Step } from "../../../src/system/private-way.ts";

const ANN = 1000;
const BOB = 1001;
const ROOT = 0;
const NOBODY = 65_534;
const account = (uid = ANN, isHiddenRoot = false): Account => ({
  uid,
  isPrivateGroup: (gid) => gid === uid,
  isHiddenRoot: (other) => isHiddenRoot && other === NOBODY,
});
const PURPOSE = { what: "the state folder", variable: "XDG_STATE_HOME" };

type Entry = readonly [path: string, uid: number, mode: number, more?: Partial<Step>];
const folder = ([path, uid, mode, more]: Entry): Step => ({
  path,
  uid,
  gid: uid,
  mode,
  kind: "folder",
  ...more,
});

/** The last entry is what the path leads to, unless it says `missing`. */
function judge(entries: readonly Entry[], who = account(), missing = false) {
  const steps = entries.map(folder);
  const last = steps.at(-1) as Step;
  const fault = faultOf({ steps, folder: last, ...(missing ? {} : { end: last }) }, who);
  return fault && `${fault.why} ${fault.step.path}`;
}

const TOP: Entry = ["/", ROOT, 0o755];
const TMP: Entry = ["/tmp", ROOT, 0o1777];

describe("a folder that has to be the account's alone", () => {
  test.each<[string, readonly Entry[]]>([
    [
      "is in its home",
      [TOP, ["/home", ROOT, 0o755], ["/home/ann", ANN, 0o750], ["/home/ann/xy", ANN, 0o700]],
    ],
    ["is its own in a sticky folder", [TOP, TMP, ["/tmp/xy", ANN, 0o700]]],
    ["can only be read by others, which is mended elsewhere", [TOP, ["/xy", ANN, 0o755]]],
    ["has the account's own group above it, and may write", [TOP, ["/a", ANN, 0o775], ["/a/xy", ANN, 0o770]]],
    ["is behind a link of its own", [TOP, ["/l", ANN, 0o777, { kind: "link" }], ["/a", ANN, 0o700]]],
    ["is behind a link of root", [TOP, TMP, ["/tmp/l", ROOT, 0o777, { kind: "link" }], ["/a", ANN, 0o700]]],
  ])("may be used when it %s", (_, entries) => {
    expect(judge(entries)).toBeUndefined();
  });

  test.each<[string, string, readonly Entry[]]>([
    ["it is another's", "foreign /tmp/xy", [TOP, TMP, ["/tmp/xy", BOB, 0o700]]],
    ["it is root's", "foreign /xy", [TOP, ["/xy", ROOT, 0o755]]],
    ["others can write to it", "open /xy", [TOP, ["/xy", ANN, 0o702]]],
    ["others can add to it", "open /xy", [TOP, ["/xy", ANN, 0o1777]]],
    ["a group can write to it", "open /xy", [TOP, ["/xy", ANN, 0o770, { gid: 50 }]]],
    ["what is above is another's", "foreign /a", [TOP, ["/a", BOB, 0o755], ["/a/xy", ANN, 0o700]]],
    ["what is above is open", "open /a", [TOP, ["/a", ROOT, 0o777], ["/a/xy", ANN, 0o700]]],
    ["a group can write above", "open /a", [TOP, ["/a", ROOT, 0o775, { gid: 50 }], ["/a/xy", ANN, 0o700]]],
    [
      "its link is another's",
      "foreign /tmp/l",
      [TOP, TMP, ["/tmp/l", BOB, 0o777, { kind: "link" }], ["/a", ANN, 0o700]],
    ],
    ["it is nobody's", "foreign /tmp/a", [TOP, TMP, ["/tmp/a", NOBODY, 0o755], ["/tmp/a/xy", ANN, 0o700]]],
  ])("is refused when %s", (_, fault, entries) => {
    expect(judge(entries)).toBe(fault);
  });

  it("is judged by what is there of its way when it is not there itself", () => {
    expect(judge([TOP, TMP], account(), true)).toBeUndefined();
    expect(judge([TOP, TMP, ["/tmp/a", BOB, 0o700]], account(), true)).toBe("foreign /tmp/a");
    expect(judge([TOP, ["/a", ANN, 0o777]], account(), true)).toBe("open /a");
  });

  it("is root's alone for root, also in the home of somebody else", () => {
    expect(judge([TOP, ["/root", ROOT, 0o700], ["/root/xy", ROOT, 0o700]], account(ROOT))).toBeUndefined();
    expect(judge([TOP, ["/ann", ANN, 0o700], ["/ann/xy", ROOT, 0o700]], account(ROOT))).toBe("foreign /ann");
    expect(judge([TOP, ["/xy", ANN, 0o700]], account(ROOT))).toBe("foreign /xy");
  });

  it("is below folders of a root that cannot be seen, but where others could have made them", () => {
    const hidden = account(ANN, true);
    const top: Entry = ["/", NOBODY, 0o755];
    const tmp: Entry = ["/tmp", NOBODY, 0o1777];
    expect(judge([top, tmp, ["/tmp/xy", ANN, 0o700]], hidden)).toBeUndefined();
    expect(judge([top, tmp, ["/tmp/a", NOBODY, 0o755], ["/tmp/a/xy", ANN, 0o700]], hidden)).toBe(
      "foreign /tmp/a",
    );
    expect(judge([top, ["/xy", NOBODY, 0o700]], hidden)).toBe("foreign /xy");
  });
});

describe("what is said of it", () => {
  const said = (step: Entry, why: "foreign" | "open", uid = ANN, variable = "XDG_STATE_HOME") =>
    faultText(
      { step: folder(step), why, isEnd: step[0] === "/s/xy" },
      "/s/xy",
      { ...PURPOSE, variable },
      { uid },
    );

  it("names the folder, what is wrong with it, and the way out", () => {
    expect(said(["/s/xy", BOB, 0o700], "foreign")).toBe(
      "cannot use /s/xy as the state folder: it belongs to another account (uid 1001); set XDG_STATE_HOME to a folder of your own",
    );
    expect(said(["/s", BOB, 0o777, { kind: "link" }], "foreign")).toContain(
      "/s is a link of another account (uid 1001); set",
    );
    expect(said(["/s/xy", ANN, 0o777], "open")).toBe(
      "cannot use /s/xy as the state folder: others can write to it; make sure that nobody has put anything into it, then run: chmod go-w /s/xy",
    );
    expect(said(["/s", ROOT, 0o777], "open")).toContain("others can write to /s; run: sudo chmod go-w /s");
  });

  it("tells root how to be root", () => {
    expect(said(["/s", ANN, 0o700], "foreign", ROOT)).toContain(
      "; run xy without sudo, or with `sudo -H`, or set XDG_STATE_HOME to a folder of root's own",
    );
    expect(said(["/s", ANN, 0o700], "foreign", ROOT, "XDG_RUNTIME_DIR")).toContain(
      "or unset XDG_RUNTIME_DIR, or set",
    );
  });
});

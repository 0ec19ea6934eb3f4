/** Generated: tells whether a file of `xy init` is as this version writes it, without making that. */
export const EDITOR_DIGESTS = {
  types: "70202217e4805a74",
  "root yaml": "5329b514220147e3",
  "root json": "4ebfa59b1a740ce0",
  "server yaml": "cd71d664960f5655",
  "server json": "512db25a41359de5",
} as const;

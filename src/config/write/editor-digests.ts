/** Generated: tells whether a file of `xy init` is as this version writes it, without making that. */
export const EDITOR_DIGESTS = {
  types: "86ac8454277bb990",
  "root yaml": "6c8f8ff1f3dff563",
  "root json": "efc653f9dfef751a",
  "server yaml": "cd71d664960f5655",
  "server json": "512db25a41359de5",
} as const;

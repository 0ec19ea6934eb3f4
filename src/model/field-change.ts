/** One field that differs. Nested fields are dotted (`restart.policy`, `env.RUST_LOG`, `args`). */
export interface FieldChange {
  readonly field: string;
  /** Absent: was not set. A secret is its reference object, never a value. */
  readonly from?: unknown;
  readonly to?: unknown;
}

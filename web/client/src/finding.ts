export type Severity = "error" | "warning" | "info";

/** One row of the table that daemon and browser share. */
export interface Finding {
  /** Stable: programs may depend on it. */
  readonly code: string;
  readonly severity: Severity;
  /** Whose rules may find it. */
  readonly seen_by: readonly ("browser" | "daemon")[];
  readonly cause: string;
  readonly fix: string;
  /** What a person hears. */
  readonly symptom: string;
  /** The hop of the daemon's ledger that broke; null: none, or it depends. */
  readonly hop: string | null;
}

/** A finding that was found. */
export interface Issue {
  readonly code: string;
  readonly severity: Severity;
  readonly cause: string;
  /** What was seen, with its figures and units. */
  readonly evidence: string;
  readonly fix: string;
}

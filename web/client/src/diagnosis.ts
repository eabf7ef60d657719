import type { Facts } from "./facts.js";
import type { Finding, Issue, Severity } from "./finding.js";
import { FINDINGS } from "./findings.js";
import { RULES } from "./rules.js";

/** What is wrong with the sound, the worst first. */
export interface Diagnosis {
  /** Nothing that a person would hear or has to act on: no error, no warning. */
  readonly healthy: boolean;
  readonly issues: readonly Issue[];
  /** What to do, in this order; each once. */
  readonly recommendations: readonly string[];
  /** Whether the server's view is in it; when not, why. */
  readonly server: "asked" | "not connected" | "no answer";
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** The rules of the browser, over what the page knows. In the order of the table. */
export function findIssues(facts: Facts): Issue[] {
  return (FINDINGS as readonly Finding[]).flatMap(({ code, severity, cause, fix }) => {
    const evidence = (RULES as Readonly<Record<string, ((facts: Facts) => string | undefined) | undefined>>)[code]?.(facts);
    return evidence === undefined ? [] : [{ code, severity, cause, evidence, fix }];
  });
}

/** Both views in one list: a code that both found is one issue, with the evidence of both. */
export function joinIssues(browser: readonly Issue[], server: readonly Issue[]): Issue[] {
  const joined = new Map<string, Issue>();
  for (const issue of browser) joined.set(issue.code, issue);
  for (const issue of server) {
    const ours = joined.get(issue.code);
    const evidence = ours ? `browser: ${ours.evidence}; server: ${evidenceOf(issue)}` : evidenceOf(issue);
    joined.set(issue.code, { ...(ours ?? issue), evidence });
  }
  // Stable: the order of the table within a severity.
  return [...joined.values()].sort((a, b) => (RANK[a.severity] ?? 2) - (RANK[b.severity] ?? 2));
}

export function diagnose(browser: readonly Issue[], server: readonly Issue[], asked: Diagnosis["server"]): Diagnosis {
  const issues = joinIssues(browser, server);
  return {
    healthy: issues.every(({ severity }) => severity === "info"),
    issues,
    recommendations: [...new Set(issues.filter(({ severity }) => severity !== "info").map(({ fix }) => fix))],
    server: asked,
  };
}

/** A server may give figures instead of a sentence. */
function evidenceOf({ evidence }: { readonly evidence: unknown }): string {
  return typeof evidence === "string" ? evidence : JSON.stringify(evidence);
}

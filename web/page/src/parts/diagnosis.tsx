import type { Severity } from "../live";
import { Badge } from "./badge";

export interface Issue {
  readonly code: string;
  readonly severity: Severity;
  readonly symptom?: string;
  readonly cause: string;
  readonly evidence: string;
  readonly fix: string;
  readonly hop?: string | null;
  readonly doc?: string;
}
export interface Diagnosis {
  readonly healthy: boolean;
  readonly issues: readonly Issue[];
}

/** What is wrong, why one thinks so, and what to do. */
export function DiagnosisList({ issues }: Diagnosis) {
  if (issues.length === 0) return <p class="healthy">Nothing is wrong with the sound of this call.</p>;
  return (
    <ol class="issues">
      {issues.map((issue) => (
        <li key={issue.code} class={`issue ${issue.severity}`}>
          <p class="issue-head">
            <Badge tone={issue.severity}>{issue.severity}</Badge>
            <strong>{issue.symptom ?? issue.cause}</strong>
          </p>
          <dl>
            {issue.symptom && (
              <>
                <dt>Cause</dt>
                <dd>{issue.cause}</dd>
              </>
            )}
            <dt>Evidence</dt>
            <dd>{issue.evidence || "–"}</dd>
            <dt>What to do</dt>
            <dd>{issue.fix}</dd>
            <dt>Code</dt>
            <dd>
              <code>{issue.code}</code>
              {issue.doc && <span class="dim"> ({issue.doc})</span>}
            </dd>
          </dl>
        </li>
      ))}
    </ol>
  );
}

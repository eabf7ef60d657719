import { EmptyState } from "../parts/empty-state";

export function CallView({ params }: { readonly params: readonly string[] }) {
  return <EmptyState title={`Call ${params[0] ?? ""}`} />;
}

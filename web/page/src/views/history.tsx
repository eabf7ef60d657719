import { EmptyState } from "../parts/empty-state";

export function HistoryView() {
  return <EmptyState title="History">This place is not furnished yet.</EmptyState>;
}

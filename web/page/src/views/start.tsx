import { EmptyState } from "../parts/empty-state";

export function StartView() {
  return <EmptyState title="Start">This place is not furnished yet.</EmptyState>;
}

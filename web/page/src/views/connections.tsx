import { EmptyState } from "../parts/empty-state";

export function ConnectionsView() {
  return <EmptyState title="Connections">This place is not furnished yet.</EmptyState>;
}

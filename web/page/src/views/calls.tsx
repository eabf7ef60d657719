import { EmptyState } from "../parts/empty-state";

export function CallsView() {
  return <EmptyState title="No calls">They appear here the moment they come in.</EmptyState>;
}

import { EmptyState } from "../parts/empty-state";

export function ChannelsView() {
  return <EmptyState title="Channels">This place is not furnished yet.</EmptyState>;
}

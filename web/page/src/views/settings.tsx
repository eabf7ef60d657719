import { EmptyState } from "../parts/empty-state";

export function SettingsView() {
  return <EmptyState title="Settings">This place is not furnished yet.</EmptyState>;
}

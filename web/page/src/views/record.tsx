import { durationOf, known, nameOf, percent } from "../format";
import { usePolled } from "../polled";
import { callRecord, type RecordPage } from "../records";
import { hrefOf } from "../router";
import { EmptyState } from "../parts/empty-state";
import { FactList } from "../parts/fact-list";
import { Recording } from "../parts/recording";
import { Section } from "../parts/section";
import { EndBadge } from "./history";

const SLOW_MS = 60_000;

/** One call that is over, as its record has it. */
export function RecordView({ params }: { readonly params: readonly string[] }) {
  const id = params[0] ?? "";
  const asked = usePolled<RecordPage["items"][number]>(`/api/v1/cdr/${encodeURIComponent(id)}`, SLOW_MS);
  if (!asked.data) {
    return <EmptyState title={asked.error ? "There is no such record" : "Asking …"}>{asked.error?.message}</EmptyState>;
  }
  const record = callRecord(asked.data);
  const { quality } = record;
  const time = (text: string | null) => (text === null ? null : new Date(text).toLocaleString("en-GB"));
  return (
    <div class="record">
      <div class="bar">
        <a href={hrefOf("history")}>← History</a>
        <h1>
          {nameOf(record.from)} → {nameOf(record.to)}
        </h1>
        <EndBadge record={record} />
        <a class="button" href={hrefOf("calls", record.id)}>
          Timeline and dump
        </a>
      </div>
      <Section title="Call">
        <FactList
          rows={[
            ["From", record.from],
            ["To", record.to],
            ["Began", time(record.created)],
            ["Answered", time(record.answered)],
            ["Ended", time(record.ended)],
            ["Length", record.duration_ms === null ? null : durationOf(record.duration_ms)],
            ["INVITE to answer", known(record.answer_ms, " ms")],
            ["End", record.end_detail || record.end_reason],
            ["SIP status", record.sip_status === null ? null : String(record.sip_status)],
            ["AI", record.ai],
            ["Route", record.route],
            ["Account", record.account],
            ["Codec", record.codec],
            ["Encryption", record.srtp || "none"],
            ["Transport", record.transport],
            ["Peer", record.peer],
            ["User agent", record.user_agent],
            ["SIP Call-ID", record.sip_call_id],
          ]}
        />
      </Section>
      <Section title="Sound">
        <FactList
          rows={[
            ["MOS", known(quality.mos, "", 2)],
            ["Loss", percent(quality.loss_share)],
            ["Concealed", percent(quality.concealed_share)],
            ["Jitter, mean", known(quality.jitter_ms, " ms", 1)],
            ["Jitter, most", known(quality.jitter_max_ms, " ms", 1)],
            ["Round trip, mean", known(quality.round_trip_ms, " ms")],
            ["Round trip, most", known(quality.round_trip_max_ms, " ms")],
            ["Our loss, by the far end", percent(quality.remote_loss_share)],
            ["Longest gap of ours", known(quality.max_gap_ms, " ms")],
            ["Gap alarms", quality.gap_alarms === null ? null : String(quality.gap_alarms)],
            ["One-way", quality.oneway_ms ? durationOf(quality.oneway_ms) : "never"],
            ["Packets sent", known(record.sent_packets, "")],
            ["Packets received", known(record.received_packets, "")],
            ["Packets lost", known(record.lost_packets, "")],
          ]}
        />
      </Section>
      <Section title="Recording">
        <Recording id={record.id} />
      </Section>
    </div>
  );
}

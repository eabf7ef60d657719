/** One record of `GET /api/v1/cdr` (docs/records.md); null: not known. */
export interface CallRecord {
  readonly id: string;
  readonly direction: string;
  readonly from: string;
  readonly to: string;
  readonly created: string;
  readonly answered: string | null;
  readonly ended: string | null;
  readonly answer_ms: number | null;
  readonly duration_ms: number | null;
  readonly account: string | null;
  readonly route: string | null;
  readonly ai: string | null;
  readonly channel: string | null;
  readonly leg: string | null;
  readonly codec: string | null;
  readonly srtp: string | null;
  readonly transport: string | null;
  readonly peer: string | null;
  readonly user_agent: string | null;
  readonly sip_call_id: string | null;
  readonly end_class: string | null;
  readonly end_reason: string | null;
  readonly end_detail: string | null;
  readonly sip_status: number | null;
  readonly sent_packets: number | null;
  readonly received_packets: number | null;
  readonly lost_packets: number | null;
  readonly recording?: string | null;
  readonly quality: Quality;
}

/** Shares are 0 to 1. */
export interface Quality {
  readonly mos: number | null;
  readonly loss_share: number | null;
  readonly concealed_share: number | null;
  readonly jitter_ms: number | null;
  readonly jitter_max_ms: number | null;
  readonly round_trip_ms: number | null;
  readonly round_trip_max_ms: number | null;
  readonly remote_loss_share: number | null;
  readonly max_gap_ms: number | null;
  readonly oneway_ms: number | null;
  readonly gap_alarms: number | null;
}

export interface RecordPage {
  readonly items: readonly (Omit<CallRecord, "quality"> & { readonly quality?: Partial<Quality> })[];
  readonly next: string | null;
}

const NOTHING: Quality = {
  mos: null, loss_share: null, concealed_share: null, jitter_ms: null, jitter_max_ms: null, round_trip_ms: null,
  round_trip_max_ms: null, remote_loss_share: null, max_gap_ms: null, oneway_ms: null, gap_alarms: null,
};

/** With every figure there, so that views need not look. */
export function callRecord(said: RecordPage["items"][number]): CallRecord {
  return { ...said, quality: { ...NOTHING, ...said.quality } };
}

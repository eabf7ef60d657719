import { useState } from "preact/hooks";
import { clockOf } from "../format";

export interface SipMessage {
  /** ms since 1970 */
  readonly at: number;
  readonly isInbound: boolean;
  readonly transport: string;
  readonly remote: string;
  readonly text: string;
}

/** "INVITE", "200 OK" */
function firstOf(text: string): string {
  const line = text.split(/\r?\n/, 1)[0] ?? "";
  const answer = /^SIP\/2\.0 (\d+ ?.*)$/.exec(line);
  return answer?.[1] ?? line.split(" ")[0] ?? "";
}

function sequenceOf(text: string): string {
  return /^CSeq:\s*(.*)$/im.exec(text)?.[1]?.trim() ?? "";
}

/** Every SIP message of a call as an arrow between the peer and us; one click shows it whole. */
export function SipLadder({ messages }: { readonly messages: readonly SipMessage[] }) {
  const [open, setOpen] = useState<number>();
  const peer = messages[0]?.remote ?? "peer";
  return (
    <div class="ladder">
      <div class="ladder-ends">
        <span>{peer}</span>
        <span>Offhook</span>
      </div>
      <ol>
        {messages.map((message, index) => (
          <li key={index}>
            <time class="dim">{clockOf(message.at)}</time>
            <button
              type="button"
              class={`arrow ${message.isInbound ? "inbound" : "outbound"}`}
              aria-expanded={open === index}
              onClick={() => setOpen(open === index ? undefined : index)}
            >
              <span class="arrow-text">
                {firstOf(message.text)} <span class="dim">{sequenceOf(message.text)}</span>
              </span>
              <span class="unseen">{message.isInbound ? "from the peer" : "from us"}</span>
            </button>
            {open === index && <pre>{message.text}</pre>}
          </li>
        ))}
      </ol>
    </div>
  );
}

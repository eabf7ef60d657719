import { useLayoutEffect, useRef } from "preact/hooks";
import { STRIP, shareOf, type Strip } from "../live";
import { useStore } from "../store";
import { colour, isDark, theme } from "./theme";

/** One level, -60 to 0 dBov, with a tick where its loudest of the last second was. */
export function Meter({ dbov, label, of }: { readonly dbov: number | undefined; readonly label: string; readonly of: "in" | "out" }) {
  const share = dbov === undefined ? 0 : shareOf(dbov);
  const text = dbov === undefined || dbov <= -127 ? "silence" : `${Math.round(dbov)} dBov`;
  return (
    <span
      class={`meter ${of}${share > 0.95 ? " hot" : ""}`}
      role="meter"
      aria-label={label}
      aria-valuemin={-60}
      aria-valuemax={0}
      aria-valuenow={Math.round(Math.max(-60, dbov ?? -60))}
      aria-valuetext={text}
      title={`${label}: ${text}`}
    >
      <span class="meter-bar" style={{ transform: `scaleX(${share})` }} />
    </span>
  );
}

/** The last 30 s of a call: the caller above the line, what we sent below it; red where nothing left in time. */
export function Tape({ strip, width, height, label }: { readonly strip: Strip; readonly width: number; readonly height: number; readonly label: string }) {
  const box = useRef<HTMLCanvasElement>(null);
  const drawn = useRef("");
  const scheme = useStore(theme);
  useLayoutEffect(() => {
    const canvas = box.current;
    const pen = canvas?.getContext("2d");
    // A row that is drawn again since the table was scrolled has the same tape.
    const state = `${strip.count} ${width} ${scheme} ${isDark()}`;
    if (!canvas || !pen || drawn.current === state) return;
    drawn.current = state;
    const scale = Math.min(2, window.devicePixelRatio || 1);
    if (canvas.width !== width * scale) {
      canvas.width = width * scale;
      canvas.height = height * scale;
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const middle = height / 2;
    const step = width / STRIP;
    pen.fillStyle = colour("line");
    pen.fillRect(0, middle - 0.5, width, 1);
    const shapes = { in: new Path2D(), out: new Path2D(), fill: new Path2D(), error: new Path2D() };
    const many = Math.min(strip.count, STRIP);
    for (let back = 0; back < many; ++back) {
      const at = (strip.count - 1 - back) % STRIP;
      const x = width - (back + 1) * step;
      const up = (strip.inbound[at]! / 255) * (middle - 1);
      const down = (strip.outbound[at]! / 255) * (middle - 1);
      if (up > 0.3) shapes.in.rect(x, middle - 0.5 - up, step + 0.2, up);
      const fed = strip.fed[at];
      if (fed === 0) shapes.error.rect(x, middle + 0.5, step + 0.2, 3);
      else if (down > 0.3) (fed === 2 ? shapes.out : shapes.fill).rect(x, middle + 0.5, step + 0.2, down);
    }
    for (const [name, shape] of Object.entries(shapes)) {
      pen.fillStyle = colour(name);
      pen.fill(shape);
    }
  });
  return <canvas ref={box} class="tape" role="img" aria-label={label} title={label} style={{ width: `${width}px`, height: `${height}px` }} />;
}

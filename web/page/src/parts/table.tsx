import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Store, useStore } from "../store";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** A track of CSS grid: "8rem", "minmax(6rem, 1fr)". */
  readonly width: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** What to sort by; without it the column is not sorted. */
  readonly sort?: (row: Row) => number | string;
  readonly isNumber?: boolean;
  /** Explains the heading. */
  readonly help?: string;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  /** px; all rows are as high, so that only those in sight are drawn. */
  readonly rowHeight: number;
  readonly onOpen?: (row: Row) => void;
  readonly classOf?: (row: Row) => string;
  readonly empty: ComponentChildren;
  /** What is sorted by at first, "-age": the largest first. */
  readonly sortedBy?: string;
}

/** Rows that are drawn on either side of what is in sight. */
const BEYOND = 3;

function sorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], by: string): readonly Row[] {
  const isDown = by.startsWith("-");
  const value = columns.find(({ key }) => key === by.replace(/^-/, ""))?.sort;
  if (!value) return rows;
  const sign = isDown ? -1 : 1;
  const keyed = rows.map((row) => [value(row), row] as const);
  keyed.sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0));
  return keyed.map(([, row]) => row);
}

const widths = new Map<number, Store<boolean>>();

/** Whether the window is at most so wide, px. */
export function useNarrower(width: number): boolean {
  let known = widths.get(width);
  if (!known) {
    const query = window.matchMedia(`(max-width: ${width}px)`);
    const made = new Store(query.matches);
    query.addEventListener("change", () => made.set(query.matches));
    widths.set(width, made);
    known = made;
  }
  return useStore(known);
}

/** Whether rows are drawn as cards, as style.css does. */
export function useNarrow(): boolean {
  return useNarrower(760);
}

/** Whether a key is meant for a text field, or for nobody but the browser. */
export function isTyping(event: KeyboardEvent): boolean {
  const at = event.target as HTMLElement;
  return event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || document.querySelector("dialog[open]") !== null;
}

/** Rows under sortable headings, of which only those in sight exist. j and k or the arrows move, enter opens. */
export function Table<Row>(props: TableProps<Row>) {
  const { columns, keyOf, rowHeight, onOpen } = props;
  const [by, setBy] = useState(props.sortedBy ?? "");
  const [selected, setSelected] = useState<string | undefined>();
  // Of now, for keys that come faster than drawing.
  const held = useRef<string | undefined>();
  const select = (key: string | undefined) => {
    held.current = key;
    setSelected(key);
  };
  // The first row in sight, and how many: a scroll inside of a row draws nothing.
  const [view, setView] = useState({ first: 0, many: 20 });
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => sorted(props.rows, columns, by), [props.rows, columns, by]);

  useLayoutEffect(() => {
    const scroller = box.current;
    if (!scroller) return undefined;
    const look = () => {
      const first = Math.floor(scroller.scrollTop / rowHeight);
      const many = Math.ceil(scroller.clientHeight / rowHeight) + 1;
      setView((now) => (now.first === first && now.many === many ? now : { first, many }));
    };
    look();
    const watcher = new ResizeObserver(look);
    watcher.observe(scroller);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      watcher.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, [rowHeight]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event)) return;
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
      const at = rows.findIndex((row) => keyOf(row) === held.current);
      if (step !== undefined && rows.length > 0) {
        event.preventDefault();
        const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
        select(keyOf(rows[next]!));
        const scroller = box.current;
        if (!scroller) return;
        const top = next * rowHeight;
        const seen = scroller.clientHeight - 2 * rowHeight;
        if (top < scroller.scrollTop) scroller.scrollTop = top;
        else if (top > scroller.scrollTop + seen) scroller.scrollTop = top - seen;
      } else if (event.key === "Enter" && at >= 0 && (document.activeElement === document.body || document.activeElement?.id === "main")) {
        onOpen?.(rows[at]!);
      } else if (event.key === "Escape") {
        select(undefined);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [rows, keyOf, onOpen, rowHeight]);

  const first = Math.max(0, Math.min(view.first, rows.length - view.many) - BEYOND);
  const shown = rows.slice(first, first + view.many + 2 * BEYOND);
  const tracks = { gridTemplateColumns: columns.map(({ width }) => width).join(" ") };

  return (
    <div class="table" role="table" aria-label={props.label} aria-rowcount={rows.length + 1} ref={box} tabIndex={0}>
      <div class="table-head" role="rowgroup">
        <div class="row" role="row" aria-rowindex={1} style={tracks}>
          {columns.map(({ key, title, sort, isNumber, help }) => {
            const is = by === key ? "ascending" : by === `-${key}` ? "descending" : "none";
            return (
              <div key={key} class={isNumber ? "cell number" : "cell"} role="columnheader" title={help} {...(sort ? { "aria-sort": is } : {})}>
                {sort ? (
                  <button type="button" class="heading" onClick={() => setBy(by === key ? `-${key}` : by === `-${key}` ? "" : key)}>
                    {title || <span class="unseen">{help ?? key}</span>}
                    <span aria-hidden="true">{is === "ascending" ? " ↑" : is === "descending" ? " ↓" : ""}</span>
                  </button>
                ) : (
                  title
                )}
              </div>
            );
          })}
        </div>
      </div>
      {rows.length === 0 && props.empty}
      <div class="table-rows" role="rowgroup" style={{ height: `${rows.length * rowHeight}px` }}>
        {shown.map((row, index) => {
          const key = keyOf(row);
          const isSelected = key === selected;
          return (
            <div
              key={key}
              class={`row ${isSelected ? "selected" : ""} ${props.classOf?.(row) ?? ""}`}
              role="row"
              aria-rowindex={first + index + 2}
              aria-selected={isSelected}
              style={{ ...tracks, height: `${rowHeight}px`, transform: `translateY(${(first + index) * rowHeight}px)` }}
              onClick={() => select(key)}
              onDblClick={() => onOpen?.(row)}
            >
              {columns.map((column) => (
                <div key={column.key} class={column.isNumber ? "cell number" : "cell"} role="cell" data-column={column.key} data-title={column.title}>
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

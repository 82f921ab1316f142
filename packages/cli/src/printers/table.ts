// Aligned columns, kubectl habits: upper-case headers, three spaces, nothing after the last column.

/** A table as the server renders it (meta.k8s.io/v1), as far as a printer needs it. */
export interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority?: number }[];
  readonly rows: readonly {
    readonly cells: readonly unknown[];
    readonly object?: { readonly metadata?: { readonly namespace?: string } };
  }[];
}

const GAP = "   ";

function cell(value: unknown): string {
  if (value === null || value === undefined || value === "") return "<none>";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Rows of text with every column as wide as its widest cell. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((text, column) => {
      widths[column] = Math.max(widths[column] ?? 0, text.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((text, column) =>
          column === row.length - 1 ? text : text.padEnd(widths[column] ?? 0),
        )
        .join(GAP)
        .trimEnd(),
    )
    .join("\n");
}

/** The table with the namespace of each row in front: names repeat between namespaces. */
export function withNamespaces(table: Table): Table {
  return {
    columnDefinitions: [{ name: "Namespace" }, ...table.columnDefinitions],
    rows: table.rows.map((row) => ({
      ...row,
      cells: [row.object?.metadata?.namespace ?? "", ...row.cells],
    })),
  };
}

/** The table with `prefix` before the name of each row, as in `config/web`: one of several kinds. */
export function withPrefix(table: Table, prefix: string): Table {
  const at = table.columnDefinitions.findIndex((column) => column.name === "Name");
  const rows = table.rows.map((row) => ({
    ...row,
    cells: row.cells.map((value, i) => (i === at ? `${prefix}${String(value)}` : value)),
  }));
  return { ...table, rows };
}

/** Text of a server-rendered table; `wide` keeps the columns of lower priority. */
export function formatTable(
  table: Table,
  options: { readonly wide: boolean; readonly headers: boolean },
): string {
  const kept = table.columnDefinitions
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => options.wide || (column.priority ?? 0) === 0);
  const body = table.rows.map((row) => kept.map(({ index }) => cell(row.cells[index])));
  const head = kept.map(({ column }) => column.name.toUpperCase());
  return alignColumns(options.headers ? [head, ...body] : body);
}

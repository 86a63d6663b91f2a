import { useMemo } from "react";
import type { Schemas } from "~/api/client";
import { BarChart } from "~/charts/BarChart";
import { DataTable, type Column } from "~/charts/DataTable";
import type { OnPeople } from "~/features/people/behind";
import { behindBar } from "~/features/stickiness/behind";
import { assignColours, colourOf } from "~/format/colours";
import { counted, exact, percent } from "~/format/numbers";
import { capitalised } from "~/format/text";

export type StickinessAnswer = Schemas["StickinessAnswer"];

interface StickinessViewProps {
  answer: StickinessAnswer;
  label: string;
  height?: number;
  onPeople: OnPeople;
}

/** A bar for each number of intervals: how many people were active in that many. */
export function StickinessView({ answer, label, height, onPeople }: StickinessViewProps) {
  const series = useMemo(() => {
    const colours = assignColours(answer.series.map((each) => each.name));
    return answer.series.map((each, index) => ({ key: String(each.index), label: each.name, colour: colourOf(colours[index] ?? 0), values: each.counts }));
  }, [answer]);
  return (
    <BarChart
      label={label}
      names={answer.intervals.map(String)}
      series={series}
      describe={(each, index) => {
        const count = answer.intervals[index] ?? 0;
        return `${each.label}: ${counted(each.values[index], "person", "people")} on ${counted(count, answer.interval)}`;
      }}
      caption={`${answer.interval}s active`}
      testId="stickiness"
      height={height}
      onPick={(index, key) => onPeople(answer.series.filter((each) => String(each.index) === key).map((each) => behindBar(answer, each, index)))}
    />
  );
}

interface Row {
  count: number;
  index: number;
}

export function StickinessTable({ answer, label, onPeople }: { answer: StickinessAnswer; label: string; onPeople: OnPeople }) {
  const rows = answer.intervals.map((count, index): Row => ({ count, index }));
  const columns: Column<Row>[] = [
    { key: "count", label: `${capitalised(answer.interval)}s active`, value: (row) => row.count },
    ...answer.series.flatMap((each): Column<Row>[] => {
      const all = each.counts.reduce((sum, count) => sum + count, 0);
      return [
        {
          key: `${each.index}`,
          label: each.name,
          numeric: true,
          value: (row) => each.counts[row.index] ?? 0,
          show: ({ index }) => exact(each.counts[index] ?? 0),
          onPick: ({ index }) => (each.counts[index] ? () => onPeople([behindBar(answer, each, index)]) : undefined),
        },
        {
          key: `${each.index} share`,
          label: "Share",
          numeric: true,
          value: (row) => (each.counts[row.index] ?? 0) / Math.max(1, all),
          show: (row) => percent((each.counts[row.index] ?? 0) / Math.max(1, all)),
        },
      ];
    }),
  ];
  return <DataTable caption={`${label} Numbers as a table`} columns={columns} rows={rows} rowKey={(row) => String(row.count)} />;
}

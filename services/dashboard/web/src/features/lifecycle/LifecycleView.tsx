import { useMemo } from "react";
import type { Schemas } from "~/api/client";
import { BucketTable } from "~/charts/BucketTable";
import { TimeChart } from "~/charts/TimeChart";
import { behindLifecycle } from "~/features/lifecycle/behind";
import { shapeLifecycle, STATUSES } from "~/features/lifecycle/document";
import type { OnPeople } from "~/features/people/behind";

export type LifecycleAnswer = Schemas["LifecycleAnswer"];

interface LifecycleViewProps {
  answer: LifecycleAnswer;
  label: string;
  height?: number;
  small?: boolean;
  onPeople: OnPeople;
}

export function LifecycleView({ answer, label, height, small, onPeople }: LifecycleViewProps) {
  const series = useMemo(() => shapeLifecycle(answer), [answer]);
  return (
    <TimeChart
      kind="bar"
      over={answer}
      series={series}
      label={label}
      height={height}
      small={small}
      onPick={(index, key) => onPeople(behindLifecycle(answer, index, key))}
    />
  );
}

export function LifecycleTable({ answer, label, onPeople }: { answer: LifecycleAnswer; label: string; onPeople: OnPeople }) {
  const columns = STATUSES.map(({ key, label: name }) => ({
    key,
    label: name,
    data: answer[key],
    onPick: (index: number) => onPeople(behindLifecycle(answer, index, key)),
  }));
  return <BucketTable over={answer} columns={columns} label={label} />;
}

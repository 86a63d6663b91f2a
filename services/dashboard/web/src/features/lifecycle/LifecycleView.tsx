import { useMemo } from "react";
import type { Schemas } from "~/api/client";
import { BucketTable } from "~/charts/BucketTable";
import { TimeChart } from "~/charts/TimeChart";
import { shapeLifecycle, STATUSES } from "~/features/lifecycle/document";

export type LifecycleAnswer = Schemas["LifecycleAnswer"];

interface LifecycleViewProps {
  answer: LifecycleAnswer;
  label: string;
  height?: number;
  small?: boolean;
  onPick?: (index: number) => void;
}

export function LifecycleView({ answer, label, height, small, onPick }: LifecycleViewProps) {
  const series = useMemo(() => shapeLifecycle(answer), [answer]);
  return (
    <TimeChart
      kind="bar"
      over={answer}
      series={series}
      label={label}
      height={height}
      small={small}
      onPick={onPick}
    />
  );
}

export function LifecycleTable({ answer, label }: { answer: LifecycleAnswer; label: string }) {
  return <BucketTable over={answer} columns={STATUSES.map(({ key, label: name }) => ({ key, label: name, data: answer[key] }))} label={label} />;
}

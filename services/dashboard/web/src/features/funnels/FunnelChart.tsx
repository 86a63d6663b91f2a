import { useRef } from "react";
import type { Schemas } from "~/api/client";
import { behindStep } from "~/features/funnels/behind";
import type { OnPeople } from "~/features/people/behind";
import { PeopleButton } from "~/ui/PeopleButton";
import { compact, counted, duration, exact, percent } from "~/format/numbers";
import { cx } from "~/ui/cx";
import { useStops } from "~/ui/useStops";

type FunnelStep = Schemas["FunnelStep"];

export interface FunnelGroup {
  key: string;
  label: string | null;
  /** Of the breakdown; left out for everybody. */
  value?: string | null;
  colour: string;
  steps: readonly FunnelStep[];
}

/** Three of them, in pixels, have room beside each other on a phone. */
const SMALL_STEP = 88;

interface FunnelChartProps {
  /** Of everybody, whatever the groups are. */
  steps: readonly FunnelStep[];
  groups: readonly FunnelGroup[];
  small: boolean;
  /** Of the columns. */
  height: number;
  onPeople: OnPeople;
}

/**
 * One column a step: the solid part converted, the pale part lost. Above each the share of the first step, between
 * them the share of the step before and the median time.
 */
export function FunnelChart({ steps, groups, small, height, onPeople }: FunnelChartProps) {
  const list = useRef<HTMLOListElement>(null);
  const keys = useStops(list);
  return (
    <div className="relative overflow-x-auto" data-testid="funnel">
      <ol ref={list} aria-label="Steps of the funnel" className="flex min-w-fit items-stretch" {...keys}>
        {steps.map((step, index) => {
          const [before, next] = [steps[index - 1], steps[index + 1]];
          const lost = before === undefined ? 0 : before.count - step.count;
          return (
            <li key={step.index} className="flex flex-1 items-stretch" style={{ minWidth: small ? SMALL_STEP : 168 }}>
              <p className="sr-only">{describeStep(step, index)}</p>
              <div className="flex w-full flex-col">
                <div className="flex items-end gap-1" style={{ height }}>
                  <div className={cx("flex h-full flex-1 items-end gap-1", small ? "min-w-10" : "min-w-14")} style={{ maxWidth: groups.length > 1 ? undefined : 120 }}>
                    {groups.map((group, place) => (
                      <Column
                        key={group.key}
                        group={group}
                        index={index}
                        stop={groups.length === 1 ? undefined : 2 * (index * groups.length + place)}
                        showShare={groups.length === 1 || (groups.length <= 3 && !small)}
                        onPeople={onPeople}
                      />
                    ))}
                  </div>
                  {groups.length > 1 ? (
                    <div aria-hidden className="w-5 shrink-0" />
                  ) : (
                    <div
                      aria-hidden
                      className={cx("flex h-full basis-[4.75rem] flex-col justify-end pb-2 text-center text-12 text-soft", !small ? "shrink-0" : next && "min-w-13")}
                    >
                      {next ? (
                        <>
                          <span className="figure font-medium text-text">{percent(next.step_conversion)}</span>
                          <span className="text-faint">→</span>
                          <span className="figure" title="Median time from the step before">
                            {duration(next.median_seconds).replaceAll(/ (?=\D)/g, "\u00a0")}
                          </span>
                        </>
                      ) : null}
                    </div>
                  )}
                </div>
                <div className="border-t border-line-strong pt-2 pe-3">
                  <p aria-hidden className="truncate font-medium" title={step.name}>
                    <span className="figure text-soft">{index + 1}</span> <bdi>{step.name}</bdi>
                  </p>
                  <p className="figure text-13 text-soft" title={exact(step.count)}>
                    <PeopleButton onClick={step.count > 0 ? () => onPeople([behindStep(step, "reached")]) : undefined} className="text-accent-text">
                      {people(step.count)}
                    </PeopleButton>
                  </p>
                  {before && groups.length === 1 ? (
                    <p className="figure text-13 text-faint">
                      <PeopleButton onClick={lost > 0 ? () => onPeople([behindStep(before, "dropped")]) : undefined}>{compact(lost)} lost</PeopleButton>
                    </p>
                  ) : null}
                </div>
              </div>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function describeStep({ name, count, conversion, step_conversion, median_seconds }: FunnelStep, index: number): string {
  const before = index === 0 ? "" : `, ${percent(step_conversion)} of the step before`;
  const within = median_seconds === null ? "" : `, half of them within ${duration(median_seconds)}`;
  return `Step ${index + 1}, ${name}: ${counted(count, "person", "people")}, ${percent(conversion)} of the first step${before}${within}.`;
}

const people = (count: number) => `${compact(count)} ${count === 1 ? "person" : "people"}`;

interface ColumnProps {
  group: FunnelGroup;
  index: number;
  /** The place of its first part among all parts. Left out where the numbers below say the same. */
  stop: number | undefined;
  showShare: boolean;
  onPeople: OnPeople;
}

/** Each part leads to its people. */
function Column({ group, index, stop, showShare, onPeople }: ColumnProps) {
  const step = group.steps[index];
  const before = index === 0 ? step : group.steps[index - 1];
  if (step === undefined || before === undefined) return null;
  const [reached, lost] = [behindStep(step, "reached", group), behindStep(before, "dropped", group)];
  const title = `${group.label === null ? "" : `${group.label}: `}${counted(step.count, "person", "people")}, ${percent(step.conversion)} of the first step`;
  const keys = (part: number) => ({ type: "button", tabIndex: -1, "aria-hidden": stop === undefined, "data-stop": stop === undefined ? undefined : stop + part }) as const;
  return (
    <div className="flex h-full min-w-2 flex-1 flex-col justify-end" title={title}>
      {showShare ? <p aria-hidden className={cx("figure mb-1 font-bold whitespace-nowrap", group.label === null ? "text-13" : "text-12")}>{percent(step.conversion)}</p> : null}
      <div className="relative w-full min-h-0" style={{ height: `${Math.max(before.conversion, 0.004) * (showShare ? 84 : 100)}%` }}>
        {index > 0 ? (
          <button
            {...keys(0)}
            className="absolute inset-0 rounded-t-[4px] opacity-20 hover:opacity-30 focus-visible:opacity-40"
            style={{ background: group.colour }}
            data-testid="lost"
            aria-label={`${lost.title}: ${counted(before.count - step.count, "person", "people")}`}
            onClick={() => onPeople([lost])}
          />
        ) : null}
        <button
          {...keys(1)}
          className="absolute inset-x-0 bottom-0 rounded-t-[4px] hover:brightness-110"
          style={{ background: group.colour, height: before.count === 0 ? 2 : `max(2px, ${(step.count / before.count) * 100}%)` }}
          aria-label={`${reached.title}: ${counted(step.count, "person", "people")}, ${percent(step.conversion)} of the first step`}
          onClick={() => onPeople([reached])}
        />
      </div>
    </div>
  );
}

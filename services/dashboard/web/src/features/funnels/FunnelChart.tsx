import type { Schemas } from "~/api/client";
import { behindStep } from "~/features/funnels/behind";
import type { OnPeople } from "~/features/people/behind";
import { PeopleButton } from "~/features/people/PeopleButton";
import { compact, duration, exact, percent } from "~/format/numbers";
import { cx } from "~/ui/cx";

type FunnelStep = Schemas["FunnelStep"];

export interface FunnelGroup {
  key: string;
  label: string | null;
  /** Of the breakdown; left out for everybody. */
  value?: string | null;
  colour: string;
  steps: readonly FunnelStep[];
}

interface FunnelChartProps {
  /** Of everybody, whatever the groups are. */
  steps: readonly FunnelStep[];
  groups: readonly FunnelGroup[];
  small: boolean;
  onPeople?: OnPeople | undefined;
}

/**
 * One column a step: the solid part converted, the pale part lost. Above each the share of the first step, between
 * them the share of the step before and the median time.
 */
export function FunnelChart({ steps, groups, small, onPeople }: FunnelChartProps) {
  const height = small ? 110 : 240;
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Steps of the funnel" data-testid="funnel">
      <ol className="flex min-w-fit items-stretch">
        {steps.map((step, index) => {
          const [before, next] = [steps[index - 1], steps[index + 1]];
          const lost = before === undefined ? 0 : before.count - step.count;
          return (
            <li key={step.index} className="flex flex-1 items-stretch" style={{ minWidth: small ? 110 : 168 }}>
              <div className="flex w-full flex-col">
                <div className="flex items-end gap-1" style={{ height }}>
                  <div className="flex h-full min-w-14 flex-1 items-end gap-1" style={{ maxWidth: groups.length > 1 ? undefined : 120 }}>
                    {groups.map((group) => (
                      <Column
                        key={group.key}
                        group={group}
                        index={index}
                        showShare={groups.length === 1 || (groups.length <= 3 && !small)}
                        onPeople={onPeople}
                      />
                    ))}
                  </div>
                  <div className={cx("flex h-full shrink-0 flex-col justify-end pb-2 text-center text-12 text-soft", groups.length === 1 ? "w-[4.75rem]" : "w-5")}>
                    {next && groups.length === 1 ? (
                      <>
                        <span className="figure font-medium text-text">{percent(next.step_conversion)}</span>
                        <span aria-hidden className="text-faint">
                          →
                        </span>
                        <span className="figure" title="Median time from the step before">
                          {duration(next.median_seconds)}
                        </span>
                      </>
                    ) : null}
                  </div>
                </div>
                <div className="border-t border-line-strong pt-2 pe-3">
                  <p className="truncate font-medium" title={step.name}>
                    <span className="figure text-soft">{index + 1}</span> <bdi>{step.name}</bdi>
                  </p>
                  <p className="figure text-13 text-soft" title={exact(step.count)}>
                    <PeopleButton onClick={onPeople && step.count > 0 ? () => onPeople([behindStep(step, "reached")]) : undefined} className="text-accent-text">
                      {people(step.count)}
                    </PeopleButton>
                  </p>
                  {before && groups.length === 1 ? (
                    <p className="figure text-13 text-faint">
                      <PeopleButton onClick={onPeople && lost > 0 ? () => onPeople([behindStep(before, "dropped")]) : undefined}>{compact(lost)} lost</PeopleButton>
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

const people = (count: number) => `${compact(count)} ${count === 1 ? "person" : "people"}`;

interface ColumnProps {
  group: FunnelGroup;
  index: number;
  showShare: boolean;
  onPeople: OnPeople | undefined;
}

/** For the pointer each part leads to its people; for keys the numbers below and those of the table do. */
function Column({ group, index, showShare, onPeople }: ColumnProps) {
  const step = group.steps[index];
  const before = index === 0 ? step : group.steps[index - 1];
  if (step === undefined || before === undefined) return null;
  const title = `${group.label === null ? "" : `${group.label}: `}${exact(step.count)} people, ${percent(step.conversion)} of the first step`;
  return (
    <div className="flex h-full min-w-2 flex-1 flex-col justify-end" title={title}>
      {showShare ? <p className={cx("figure mb-1 font-bold whitespace-nowrap", group.label === null ? "text-13" : "text-12")}>{percent(step.conversion)}</p> : null}
      <div className="relative w-full min-h-0" style={{ height: `${Math.max(before.conversion, 0.004) * (showShare ? 84 : 100)}%` }}>
        <div
          className={cx("absolute inset-0 rounded-t-[4px] opacity-20", onPeople && index > 0 && "cursor-pointer hover:opacity-30")}
          style={{ background: group.colour }}
          data-testid="lost"
          {...(onPeople && index > 0 ? { onClick: () => onPeople([behindStep(before, "dropped", group)]) } : {})}
        />
        <div
          className={cx("absolute inset-x-0 bottom-0 rounded-t-[4px]", onPeople && "cursor-pointer hover:brightness-110")}
          {...(onPeople ? { onClick: () => onPeople([behindStep(step, "reached", group)]) } : {})}
          style={{ background: group.colour, height: before.count === 0 ? 2 : `max(2px, ${(step.count / before.count) * 100}%)` }}
        />
      </div>
    </div>
  );
}

import { Dialog } from "@base-ui/react/dialog";
import { Outlet, useRouter } from "@tanstack/react-router";
import { Menu as MenuIcon, PanelLeft, Search } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Account } from "~/frame/Account";
import { NavigationList } from "~/frame/NavigationList";
import { ProjectSwitcher } from "~/frame/ProjectSwitcher";
import { useShortcuts } from "~/frame/shortcuts";
import { IconButton } from "~/ui/Button";
import { cx } from "~/ui/cx";
import { Mark } from "~/ui/Mark";

const Palette = lazy(async () => ({ default: (await import("~/frame/Palette")).Palette }));
const Keys = lazy(async () => ({ default: (await import("~/frame/Keys")).Keys }));
const COLLAPSED = "footfall.navigation";

/** Navigation on the left, or as a sheet where there is no room for it, and the page. */
export function Frame() {
  const [collapsed, setCollapsed] = useState(() => localStorage.getItem(COLLAPSED) === "collapsed");
  const [sheet, setSheet] = useState(false);
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const router = useRouter();
  useEffect(() => router.subscribe("onBeforeNavigate", () => setSheet(false)), [router]);
  const page = usePageTitle();
  useShortcuts({ openPalette: () => setPalette(true), openKeys: () => setKeys(true) });

  const collapse = () => {
    localStorage.setItem(COLLAPSED, collapsed ? "" : "collapsed");
    setCollapsed(!collapsed);
  };
  const navigation = (rail: boolean) => (
    <div className="flex h-full flex-col gap-3 p-3">
      <div className={cx("flex items-center gap-1", rail && "flex-col")}>
        <ProjectSwitcher rail={rail} />
      </div>
      <button
        type="button"
        onClick={() => setPalette(true)}
        aria-label={rail ? "Search" : undefined}
        className={cx(
          "flex h-8 items-center gap-2 rounded-control border border-line bg-surface px-2 text-13 text-soft transition-colors hover:border-line-strong",
          rail && "justify-center",
        )}
      >
        <Search className="size-4" aria-hidden />
        {rail ? null : (
          <>
            <span className="flex-1 text-start">Search</span>
            <kbd aria-hidden className="font-sans text-12 text-faint">Ctrl K</kbd>
          </>
        )}
      </button>
      <NavigationList rail={rail} />
      <div className="mt-auto">
        <Account rail={rail} onKeys={() => setKeys(true)} />
      </div>
    </div>
  );

  return (
    <div className="flex min-h-dvh">
      <a href="#page" className="sr-only rounded-control bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50">
        Skip to the page
      </a>
      <div className={cx("sticky top-0 hidden h-dvh shrink-0 border-e border-line bg-sunken md:block", collapsed ? "w-14" : "w-56")}>
        {navigation(collapsed)}
        <IconButton
          label={collapsed ? "Expand the navigation" : "Collapse the navigation"}
          onClick={collapse}
          className="absolute -end-3 bottom-16 z-10 size-6 rounded-full border border-line bg-surface"
        >
          <PanelLeft className="size-3!" />
        </IconButton>
      </div>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="sticky top-0 z-20 flex h-12 items-center gap-2 border-b border-line bg-sunken px-2 md:hidden">
          <IconButton label="Open the navigation" onClick={() => setSheet(true)}>
            <MenuIcon />
          </IconButton>
          <Mark className="size-5" />
          <span className="flex-1 font-bold">Footfall</span>
          <IconButton label="Search" onClick={() => setPalette(true)}>
            <Search />
          </IconButton>
        </header>
        <p role="status" className="sr-only">
          {page}
        </p>
        <main id="page" tabIndex={-1} className="flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <Dialog.Root open={sheet} onOpenChange={setSheet}>
        <Dialog.Portal>
          <Dialog.Backdrop className="fixed inset-0 z-40 bg-text/30 transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0 dark:bg-canvas/70" />
          <Dialog.Popup
            aria-label="Navigation"
            className="fixed inset-y-0 start-0 z-40 w-64 border-e border-line bg-sunken outline-none transition-transform duration-150 data-ending-style:-translate-x-full data-starting-style:-translate-x-full"
          >
            {navigation(false)}
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
      <Suspense>
        {palette ? <Palette open onClose={() => setPalette(false)} /> : null}
        {keys ? <Keys open onClose={() => setKeys(false)} /> : null}
      </Suspense>
    </div>
  );
}

/** The title of the page that somebody went to, once it is there. */
function usePageTitle(): string {
  const [title, setTitle] = useState("");
  useEffect(() => {
    const element = document.querySelector("title");
    if (element === null) return;
    const observer = new MutationObserver(() => setTitle(document.title));
    observer.observe(element, { childList: true });
    return () => observer.disconnect();
  }, []);
  return title;
}

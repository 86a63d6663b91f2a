import { Toast } from "@base-ui/react/toast";
import type { ReactNode } from "react";
import { buttonClass } from "~/ui/Button";
import { toasts } from "~/ui/toast";

export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={toasts} limit={3}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  return Toast.useToastManager().toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="floating flex items-center gap-3 px-4 py-3">
      <Toast.Title className="flex-1 font-medium" />
      <Toast.Action className={buttonClass("plain", true)} />
    </Toast.Root>
  ));
}

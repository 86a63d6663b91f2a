import { Toast } from "@base-ui/react/toast";

/** Words that float in for a moment; from anywhere. */
export const toasts = Toast.createToastManager();

export function tell(title: string, action?: { label: string; onClick: () => void }) {
  toasts.add({ title, timeout: action ? 8000 : 4000, ...(action ? { actionProps: { children: action.label, onClick: action.onClick } } : {}) });
}

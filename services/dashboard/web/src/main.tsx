import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { mayPass } from "~/api/problem";
import { onSignedOut } from "~/api/session";
import { makeRouter } from "~/router";
import "~/styles.css";
import { Toasts } from "~/ui/Toasts";

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && mayPass(error),
    },
  },
});
const router = makeRouter(queryClient);

onSignedOut(() => {
  if (!router.state.location.pathname.startsWith("/sign-in")) void router.invalidate().then(() => queryClient.clear());
});

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no #root");
createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <Toasts>
          <RouterProvider router={router} />
        </Toasts>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
